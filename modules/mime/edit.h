#ifndef MIME_EDIT_H
#define MIME_EDIT_H

#include <posthorn/mime.h>

/* Changes to a message. Each returns 0, or a negative code and nothing has changed:
 *   PH_E_DENIED    it may not be changed, or its header was too long to be kept
 *   PH_E_LIMIT     too many changes, or no memory for more
 *   PH_E_INVALID   what is to be written cannot be, or the part has been replaced already */

/* Walks the fields of the header as it is now, with *cursor at first 0. */
bool edit_next_field(const struct ph_mime_object *object, size_t *cursor, struct ph_mime_field *field_r);

/* Before the field at this position (0: the first); beyond the last one at the end. */
int edit_insert_field(
	struct ph_mime_object *object, size_t position, struct ph_str name, struct ph_str value);
/* The nth field of that name (1: the first). PH_E_ABSENT: there is none. */
int edit_change_field(struct ph_mime_object *object, struct ph_str name, size_t nth, struct ph_str value);
/* The nth field of that name, or all with 0. PH_E_ABSENT: there is none. */
int edit_remove_field(struct ph_mime_object *object, struct ph_str name, size_t nth);
/* A leaf, or a message in the message, by a new leaf. PH_E_INVALID also for the leaf that such a message is
 * itself, whose header is more than that of a part. */
int edit_replace_part(struct ph_mime_object *object, const struct ph_mime_part *part,
	const struct ph_mime_new_part *new_part);
/* As the last part of all. */
int edit_add_part(struct ph_mime_object *object, const struct ph_mime_new_part *new_part);

/* As in struct ph_mime_service. */
int object_write(const struct ph_mime_object *object, const struct ph_mime_sink *sink);

#endif
