# The contracts between modules.
moduleincludedir = $(includedir)/posthorn
dist_moduleinclude_HEADERS = \
	modules/include/posthorn/address.h \
	modules/include/posthorn/auth.h \
	modules/include/posthorn/delivery.h \
	modules/include/posthorn/import.h \
	modules/include/posthorn/kv.h \
	modules/include/posthorn/kv_backup.h \
	modules/include/posthorn/kv_damage.h \
	modules/include/posthorn/mime.h \
	modules/include/posthorn/store.h
