# The module auth.
if BUILD_AUTH
noinst_LTLIBRARIES += modules/auth/libauth.la
pkglib_LTLIBRARIES += modules/auth.la
endif
modules_auth_libauth_la_SOURCES = \
	modules/auth/account_tool.c modules/auth/account_tool.h \
	modules/auth/base64.c modules/auth/base64.h \
	modules/auth/login.c modules/auth/login.h \
	modules/auth/password.c modules/auth/password.h \
	modules/auth/recent.c modules/auth/recent.h \
	modules/auth/sasl.c modules/auth/sasl.h
modules_auth_libauth_la_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPT_CFLAGS) $(OPENSSL_CFLAGS)
modules_auth_libauth_la_LIBADD = $(CRYPT_LIBS) $(OPENSSL_LIBS)
modules_auth_la_SOURCES = modules/auth/module.c
modules_auth_la_LIBADD = modules/auth/libauth.la
modules_auth_la_LDFLAGS = $(MODULE_LDFLAGS)
EXTRA_DIST += modules/auth/README.md
