#ifndef MIME_OBJECT_BYTES_H
#define MIME_OBJECT_BYTES_H

#include <posthorn/lua.h>

/* Bytes of a message on their way to a policy. They lie in Lua's memory from the start, so that what a policy
 * asks for is counted against its budget before anything is read. */
struct object_bytes;

/* For as many as the argument at `index` allows (a million when it is left out), or `most` if there cannot be
 * more. Pushes what holds them. Raises a Lua error for a bad argument, or when the budget does not allow it.
 */
struct object_bytes *object_bytes_new(lua_State *L, int index, uint64_t most);
/* Returns 1 when it has more than was asked for, and what follows is not needed. */
int object_bytes_add(struct object_bytes *bytes, struct ph_str piece);
/* Pushes the bytes, of a text cut where a character begins, and whether there are more. Returns 2; raises a
 * Lua error if `result` says that the message could not be read. */
int object_bytes_push(lua_State *L, const struct object_bytes *bytes, bool is_text, int result);

#endif
