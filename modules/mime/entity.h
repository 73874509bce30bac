#ifndef MIME_ENTITY_H
#define MIME_ENTITY_H

#include <posthorn/mime.h>

/* A part while the message is parsed. */
struct entity {
	struct ph_mime_part part; /* first: a part's pointer is its entity's */
	struct entity *last_child;
	struct ph_str boundary; /* of a multipart */
	unsigned depth;         /* of the message itself: 0 */
	bool is_message;        /* the message itself, or one in a message/rfc822 part */
	bool is_listening;      /* its boundary counts still */
	uint64_t lines_before;  /* of the message, before the header; later before the body */
};

static inline struct entity *entity_parent(const struct entity *entity)
{
	return (struct entity *)entity->part.parent;
}

/* Fills in what the header says, in `pool`; `scratch` is for what is not kept. For a message, also its
 * envelope, and for the message itself (`message` not NULL) what it is searched and sorted by. */
void entity_read_header(struct entity *entity, struct ph_str header, const struct ph_mime_limits *limits,
	struct ph_pool *pool, struct ph_pool *scratch, struct ph_mime_message *message);
/* Makes it a part whose content is not looked into. */
void entity_make_opaque(struct entity *entity);

#endif
