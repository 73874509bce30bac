# The module mime.
noinst_LTLIBRARIES += modules/mime/libmime.la
modules_mime_libmime_la_SOURCES = \
	modules/mime/addresses.c modules/mime/addresses.h \
	modules/mime/attachments.c modules/mime/attachments.h \
	modules/mime/base64.c modules/mime/base64.h \
	modules/mime/binary.c modules/mime/binary.h \
	modules/mime/build.c modules/mime/build.h \
	modules/mime/build_field.c modules/mime/build_field.h \
	modules/mime/charset.c modules/mime/charset.h \
	modules/mime/continuation.c modules/mime/continuation.h \
	modules/mime/date.c modules/mime/date.h \
	modules/mime/decode.c modules/mime/decode.h \
	modules/mime/edit.c modules/mime/edit.h \
	modules/mime/embedded.c modules/mime/embedded.h \
	modules/mime/encode.c modules/mime/encode.h \
	modules/mime/encode_nul.c modules/mime/encode_nul.h \
	modules/mime/entity.c modules/mime/entity.h \
	modules/mime/envelope.c modules/mime/envelope.h \
	modules/mime/flowed.c modules/mime/flowed.h \
	modules/mime/header.c modules/mime/header.h \
	modules/mime/html.c modules/mime/html.h \
	modules/mime/html_entity.c modules/mime/html_entity.h \
	modules/mime/imap_text.c modules/mime/imap_text.h \
	modules/mime/lexer.c modules/mime/lexer.h \
	modules/mime/list_field.c modules/mime/list_field.h \
	modules/mime/object.c modules/mime/object.h \
	modules/mime/object_bytes.c modules/mime/object_bytes.h \
	modules/mime/object_edit.c modules/mime/object_edit.h \
	modules/mime/object_part.c modules/mime/object_part.h \
	modules/mime/params.c modules/mime/params.h \
	modules/mime/parse.c modules/mime/parse.h \
	modules/mime/preview.c modules/mime/preview.h \
	modules/mime/quoted.c modules/mime/quoted.h \
	modules/mime/report.c modules/mime/report.h \
	modules/mime/scan.h modules/mime/search.c modules/mime/search.h \
	modules/mime/section.c modules/mime/section.h \
	modules/mime/service.c modules/mime/service.h \
	modules/mime/sort.c modules/mime/sort.h \
	modules/mime/source.c modules/mime/source.h \
	modules/mime/structure.c modules/mime/structure.h \
	modules/mime/summary.c modules/mime/summary.h \
	modules/mime/table.h modules/mime/text.c modules/mime/text.h \
	modules/mime/thread.c modules/mime/thread.h \
	modules/mime/utf8.c modules/mime/utf8.h \
	modules/mime/word.c modules/mime/word.h
if BUILD_MIME
pkglib_LTLIBRARIES += modules/mime.la
endif
modules_mime_la_SOURCES = modules/mime/module.c
modules_mime_la_LIBADD = modules/mime/libmime.la
modules_mime_la_LDFLAGS = $(MODULE_LDFLAGS)
EXTRA_DIST += modules/mime/README.md
