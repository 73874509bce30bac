# The contracts between modules.
posthornincludedir = $(includedir)/posthorn
moduleincludedir = $(posthornincludedir)
dist_moduleinclude_HEADERS =
