# The core: a library of everything but main(), and the program.
coreincludedir = $(includedir)/posthorn
dist_coreinclude_HEADERS = \
	core/include/posthorn/buf.h \
	core/include/posthorn/bus.h \
	core/include/posthorn/bytes.h \
	core/include/posthorn/command.h \
	core/include/posthorn/conf.h \
	core/include/posthorn/conn.h \
	core/include/posthorn/error.h \
	core/include/posthorn/fiber.h \
	core/include/posthorn/hook.h \
	core/include/posthorn/list.h \
	core/include/posthorn/log.h \
	core/include/posthorn/loop.h \
	core/include/posthorn/lua.h \
	core/include/posthorn/map.h \
	core/include/posthorn/mem.h \
	core/include/posthorn/metric.h \
	core/include/posthorn/module.h \
	core/include/posthorn/offload.h \
	core/include/posthorn/service.h \
	core/include/posthorn/str.h \
	core/include/posthorn/stream.h \
	core/include/posthorn/tool.h \
	core/include/posthorn/value.h \
	core/include/posthorn/verdict.h

noinst_LTLIBRARIES += core/libcore.la
core_libcore_la_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) \
	-DPH_MODULE_DIRECTORY='"$(pkglibdir)"' -DPH_SCRIPT_DIRECTORY='"$(pkgdatadir)"' \
	-DPH_CONFIG_FILE='"$(sysconfdir)/posthorn/posthorn.lua"' -DPH_STATE_DIRECTORY='"$(localstatedir)/lib/posthorn"' \
	-DPH_RUN_DIRECTORY='"$(runstatedir)/posthorn"' -DPH_SOURCE_DIRECTORY='"$(abs_srcdir)"'
# What modules call must be in the program whole, and seen from outside it.
core_libcore_la_CFLAGS = $(AM_CFLAGS) -fvisibility=default
core_libcore_la_LIBADD = $(LUA_LIBS) $(OPENSSL_LIBS) $(EV_LIBS) -ldl -lpthread
core_libcore_la_SOURCES = \
	core/buf.c \
	core/bus.c \
	core/bus_private.h \
	core/cli.c \
	core/cli.h \
	core/cli_config.c \
	core/cli_demo.c \
	core/cli_server.c \
	core/cli_tool.c \
	core/command.c \
	core/conf.c \
	core/conf_fill.c \
	core/conf_lines.c \
	core/conf_lua.c \
	core/conf_print.c \
	core/conf_private.h \
	core/conf_units.c \
	core/conn.c \
	core/conn_private.h \
	core/conn_read.c \
	core/conn_struct.h \
	core/conn_write.c \
	core/control.c \
	core/control.h \
	core/endpoint.c \
	core/endpoint.h \
	core/error.c \
	core/fiber.c \
	core/fiber_private.h \
	core/generation.c \
	core/generation.h \
	core/hook.c \
	core/hook_private.h \
	core/hook_reference.c \
	core/layer.h \
	core/layer_proxy.c \
	core/layer_proxy.h \
	core/layer_tcp.c \
	core/layer_tls.c \
	core/layer_tls.h \
	core/line.c \
	core/line.h \
	core/listen.c \
	core/listen.h \
	core/log.c \
	core/log_private.h \
	core/loop.c \
	core/lua_budget.c \
	core/lua_hook.c \
	core/lua_hook.h \
	core/lua_host.c \
	core/lua_host.h \
	core/lua_library.c \
	core/lua_object.c \
	core/lua_pattern.c \
	core/lua_pattern.h \
	core/lua_private.h \
	core/lua_std.c \
	core/lua_string.c \
	core/lua_verdict.c \
	core/lua_verdict.h \
	core/map.c \
	core/master.c \
	core/master.h \
	core/mem.c \
	core/metric.c \
	core/metric_private.h \
	core/module.c \
	core/module_private.h \
	core/offload.c \
	core/offload_private.h \
	core/paths.c \
	core/paths.h \
	core/progress.c \
	core/progress_private.h \
	core/service.c \
	core/session.c \
	core/stack.c \
	core/stack.h \
	core/str.c \
	core/stream.c \
	core/tls_self_signed.c \
	core/tool.c \
	core/user.c \
	core/user.h \
	core/verdict.c \
	core/verdict_private.h \
	core/watch.c \
	core/watch.h \
	core/worker.c \
	core/worker.h

bin_PROGRAMS += posthorn
posthorn_SOURCES = core/main.c
posthorn_LDADD = core/libcore.la
posthorn_LDFLAGS = $(AM_LDFLAGS) -export-dynamic -Wl,--whole-archive,core/.libs/libcore.a,--no-whole-archive

pkgconfigdir = $(libdir)/pkgconfig
nodist_pkgconfig_DATA = core/posthorn.pc
