#ifndef MIME_BUILD_FIELD_H
#define MIME_BUILD_FIELD_H

#include <posthorn/buf.h>
#include <posthorn/mime.h>

/* Where a field is written, a word at a time. */
struct folding {
	struct ph_buf *buf;
	size_t column;
	int result; /* 0, or what went wrong */
};

/* Begins a field: "Name:". */
struct folding fold_begin(struct ph_buf *buf, struct ph_str name);
/* Appends a word that may not be broken, with these spaces before it, on a new line if it must be. */
void fold_word(struct folding *folding, size_t spaces, struct ph_str word);
/* Appends words with spaces between as they stand. */
void fold_words(struct folding *folding, struct ph_str text);
/* Appends "; name=value", in quotes or by RFC 2231 if it must be. */
void fold_param(struct folding *folding, struct ph_str name, struct ph_str value);
/* Ends the field. Returns 0, PH_E_INVALID or PH_E_LIMIT. */
int fold_end(struct folding *folding);

/* As in struct ph_mime_service. */
int build_field(const struct ph_mime_new_field *field, struct ph_buf *buf);

#endif
