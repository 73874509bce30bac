# Lua: the library policies use, and policies to take up.
posthornscriptdir = $(pkgdatadir)/posthorn
dist_posthornscript_DATA = \
	scripts/posthorn/init.lua
