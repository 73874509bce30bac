# The module address.
noinst_LTLIBRARIES += modules/address/libaddress.la
modules_address_libaddress_la_SOURCES = \
	modules/address/domain.c \
	modules/address/syntax.c modules/address/syntax.h
if BUILD_ADDRESS
pkglib_LTLIBRARIES += modules/address.la
endif
modules_address_la_SOURCES = modules/address/module.c
modules_address_la_LIBADD = modules/address/libaddress.la
modules_address_la_LDFLAGS = $(MODULE_LDFLAGS)
EXTRA_DIST += modules/address/README.md
