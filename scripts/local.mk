# Lua: the library policies use, and policies to take up.
posthornscriptdir = $(pkgdatadir)/posthorn
dist_posthornscript_DATA = \
	scripts/posthorn/init.lua

policydir = $(pkgdatadir)/policy
dist_policy_DATA = \
	scripts/policy/README.md \
	scripts/policy/demo.lua \
	scripts/policy/read_only_archive.lua \
	scripts/policy/require_tls.lua \
	scripts/policy/subaddress_folder.lua
