# Configurations. The production one is installed as an example and never overwrites what an administrator wrote.
dist_pkgdata_DATA = conf/demo.lua conf/demo.txt
exampledir = $(docdir)/examples
dist_example_DATA = conf/posthorn.lua
nodist_example_DATA = conf/posthorn.service
EXTRA_DIST += conf/posthorn.service.in
CLEANFILES += conf/posthorn.service

conf/posthorn.service: conf/posthorn.service.in
	$(AM_V_GEN)$(MKDIR_P) conf && sed 's|@bindir[@]|$(bindir)|g' $(srcdir)/conf/posthorn.service.in >$@.new && mv $@.new $@
