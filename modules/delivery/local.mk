# The module delivery.
noinst_LTLIBRARIES += modules/delivery/libdelivery.la
modules_delivery_libdelivery_la_SOURCES = \
	modules/delivery/deliver.c \
	modules/delivery/delivery.h \
	modules/delivery/resolve.c
if BUILD_DELIVERY
pkglib_LTLIBRARIES += modules/delivery.la
endif
modules_delivery_la_SOURCES = modules/delivery/module.c
modules_delivery_la_LIBADD = modules/delivery/libdelivery.la
modules_delivery_la_LDFLAGS = $(MODULE_LDFLAGS)
EXTRA_DIST += modules/delivery/README.md
