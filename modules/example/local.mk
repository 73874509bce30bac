# The module example.
if BUILD_EXAMPLE
pkglib_LTLIBRARIES += modules/example.la
endif
modules_example_la_SOURCES = modules/example/example.c
modules_example_la_LDFLAGS = $(MODULE_LDFLAGS)
EXTRA_DIST += modules/example/README.md
