/* Bytes of a message for a policy, within its budget. */
#include "object_bytes.h"

#include <string.h>

#include <posthorn/error.h>

enum { DEFAULT = 1024 * 1024, MOST = 64 * 1024 * 1024 };

struct object_bytes {
	size_t max;
	size_t length;
	size_t room; /* one more than asked for tells that there is more */
	char data[];
};

struct object_bytes *object_bytes_new(lua_State *L, int index, uint64_t most)
{
	lua_Integer max = luaL_optinteger(L, index, DEFAULT);
	luaL_argcheck(L, max >= 0 && max <= MOST, index, "out of range");
	size_t room = (most < (uint64_t)max ? (size_t)most : (size_t)max) + 1;
	struct object_bytes *bytes = lua_newuserdatauv(L, sizeof *bytes + room, 0);
	*bytes = (struct object_bytes){ .max = (size_t)max, .room = room };
	return bytes;
}

int object_bytes_add(struct object_bytes *bytes, struct ph_str piece)
{
	piece = ph_str_slice(piece, 0, bytes->room - bytes->length);
	if (piece.len > 0)
		memcpy(bytes->data + bytes->length, piece.data, piece.len);
	bytes->length += piece.len;
	return bytes->length > bytes->max;
}

int object_bytes_push(lua_State *L, const struct object_bytes *bytes, bool is_text, int result)
{
	size_t length = bytes->length;
	bool is_cut = length > bytes->max;
	if (is_cut) {
		length = bytes->max;
		while (is_text && length > 0 && ((unsigned char)bytes->data[length] & 0xC0) == 0x80)
			length--;
	}
	if (result < 0)
		return luaL_error(L, "the message cannot be read (%s)", ph_code_name(result));
	lua_pushlstring(L, bytes->data, length);
	lua_pushboolean(L, is_cut);
	return 2;
}
