#ifndef MIME_OBJECT_PART_H
#define MIME_OBJECT_PART_H

#include <posthorn/lua.h>
#include <posthorn/mime.h>

extern const struct ph_object_type part_type;

/* message:parts() */
int parts_method(lua_State *L);
/* The part that a policy means by stack position `index`, which must be one of this message. */
const struct ph_mime_part *part_argument(lua_State *L, int index, const struct ph_mime_object *object);

#endif
