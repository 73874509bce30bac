/* What policies may change of a message. */
#include "object_edit.h"

#include <posthorn/error.h>

#include "edit.h"
#include "object.h"
#include "object_part.h"

static struct ph_mime_object *message_argument(lua_State *L)
{
	return ph_lua_object(L, 1, &message_type);
}

/* Raises the error for what edit_*() returned; what is absent is none. */
static int check(lua_State *L, int result)
{
	switch (result) {
	case 0:
	case PH_E_ABSENT:
		return result;
	case PH_E_DENIED:
		return luaL_error(L, "the message may not be changed here");
	case PH_E_LIMIT:
		return luaL_error(L, "too much has been changed");
	case PH_E_INVALID:
		return luaL_error(L, "this cannot be written into a message");
	default:
		return luaL_error(L, "the message cannot be read (%s)", ph_code_name(result));
	}
}

int add_header_method(lua_State *L)
{
	struct ph_mime_object *object = message_argument(L);
	check(L, edit_insert_field(object, SIZE_MAX, ph_lua_check_str(L, 2), ph_lua_check_str(L, 3)));
	return 0;
}

int insert_header_method(lua_State *L)
{
	struct ph_mime_object *object = message_argument(L);
	lua_Integer position = luaL_checkinteger(L, 2);
	luaL_argcheck(L, position >= 1, 2, "positions begin with 1");
	check(L, edit_insert_field(
			 object, (size_t)position - 1, ph_lua_check_str(L, 3), ph_lua_check_str(L, 4)));
	return 0;
}

static size_t nth_argument(lua_State *L, int index, lua_Integer fallback)
{
	lua_Integer nth = luaL_optinteger(L, index, fallback);
	luaL_argcheck(L, nth >= fallback, index, "fields are counted from 1");
	return (size_t)nth;
}

int change_header_method(lua_State *L)
{
	struct ph_mime_object *object = message_argument(L);
	size_t nth = nth_argument(L, 4, 1);
	int result = edit_change_field(object, ph_lua_check_str(L, 2), nth, ph_lua_check_str(L, 3));
	lua_pushboolean(L, check(L, result) == 0);
	return 1;
}

int remove_header_method(lua_State *L)
{
	struct ph_mime_object *object = message_argument(L);
	size_t nth = nth_argument(L, 3, 0);
	lua_pushboolean(L, check(L, edit_remove_field(object, ph_lua_check_str(L, 2), nth)) == 0);
	return 1;
}

/* A text of the table at `index`; it stays valid on the stack. */
static struct ph_str text_of(lua_State *L, int index, const char *name)
{
	if (lua_getfield(L, index, name) == LUA_TNIL)
		return (struct ph_str){ NULL, 0 };
	luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index, name);
	return ph_lua_check_str(L, -1);
}

/* { type = "text/plain", body = "...", filename = "...", disposition = "attachment" } */
static struct ph_mime_new_part new_part_argument(lua_State *L, int index)
{
	luaL_checktype(L, index, LUA_TTABLE);
	luaL_checkstack(L, 4, "a part");
	return (struct ph_mime_new_part){
		.type = text_of(L, index, "type"),
		.body = text_of(L, index, "body"),
		.filename = text_of(L, index, "filename"),
		.disposition = text_of(L, index, "disposition"),
	};
}

int add_part_method(lua_State *L)
{
	struct ph_mime_object *object = message_argument(L);
	struct ph_mime_new_part part = new_part_argument(L, 2);
	check(L, edit_add_part(object, &part));
	return 0;
}

int replace_part_method(lua_State *L)
{
	struct ph_mime_object *object = message_argument(L);
	const struct ph_mime_part *old = part_argument(L, 2, object);
	struct ph_mime_new_part part = new_part_argument(L, 3);
	ph_lua_check_parking(L);
	int result = edit_replace_part(object, old, &part);
	ph_lua_waited(L);
	check(L, result);
	return 0;
}
