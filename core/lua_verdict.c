/* A verdict in Lua is a table with the metatable of verdicts: kind, code, enhanced, text, value, fields. The
 * library in Lua makes them well-formed, but a script can change them; so nothing in one is believed here. */
#include <config.h>

#include "lua_verdict.h"

#include <lauxlib.h>

#include <posthorn/lua.h>

#include "lua_private.h"
#include "verdict_private.h"

enum { MOST_FIELDS = 32, MOST_VALUES = 10000 };

struct reader {
	lua_State *L;
	int table;
	struct ph_pool *pool;
	struct ph_error *error;
};

static void complain(struct reader *reader, const char *what)
{
	if (reader->error->code == 0)
		ph_error_set(reader->error, PH_E_INVALID, "bad verdict", "%s", what);
}

/* Pushes the raw field. */
static int push_field(struct reader *reader, const char *name)
{
	lua_pushstring(reader->L, name);
	return lua_rawget(reader->L, reader->table);
}

/* The text at the top, copied. */
static struct ph_str copy_text(struct reader *reader)
{
	struct ph_str copy = ph_pool_str(reader->pool, ph_lua_check_str(reader->L, -1));
	if (!copy.data)
		complain(reader, "the verdict is too large");
	return copy;
}

static struct ph_str read_text(struct reader *reader, const char *name)
{
	struct ph_str text = { NULL, 0 };
	int type = push_field(reader, name);
	if (type == LUA_TSTRING)
		text = copy_text(reader);
	else if (type != LUA_TNIL)
		complain(reader, "a text of the verdict is not a string");
	lua_pop(reader->L, 1);
	return text;
}

static int read_code(struct reader *reader)
{
	int code = 0;
	if (push_field(reader, "code") != LUA_TNIL) {
		lua_Integer number = lua_isinteger(reader->L, -1) ? lua_tointeger(reader->L, -1) : -1;
		if (number >= 200 && number <= 599)
			code = (int)number;
		else
			complain(reader, "the code of the verdict is not a number from 200 to 599");
	}
	lua_pop(reader->L, 1);
	return code;
}

static bool is_text(lua_State *L, int index)
{
	return lua_type(L, index) == LUA_TSTRING || lua_type(L, index) == LUA_TNUMBER;
}

/* The value at the top: one text, or a list of them. */
static void read_values(struct reader *reader, struct ph_verdict_field *field)
{
	lua_State *L = reader->L;
	bool is_list = lua_type(L, -1) == LUA_TTABLE;
	size_t count = is_list ? lua_rawlen(L, -1) : 1;
	struct ph_str *values =
		count <= MOST_VALUES ? ph_pool_array(reader->pool, count + 1, sizeof(*values)) : NULL;
	if (!values) {
		complain(reader, "the verdict is too large");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (is_list)
			lua_rawgeti(L, -1, (lua_Integer)i + 1);
		else
			lua_pushvalue(L, -1);
		if (is_text(L, -1))
			values[i] = copy_text(reader);
		else
			complain(reader, "a field of the verdict is neither text nor a list of texts");
		lua_pop(L, 1);
	}
	field->values = values;
	field->count = count;
}

static void read_fields(struct reader *reader, struct ph_verdict *verdict)
{
	lua_State *L = reader->L;
	int type = push_field(reader, "fields");
	struct ph_verdict_field *fields = NULL;
	if (type == LUA_TTABLE)
		fields = ph_pool_array(reader->pool, MOST_FIELDS, sizeof(*fields));
	else if (type != LUA_TNIL)
		complain(reader, "the fields of the verdict are not a table");
	if (type == LUA_TTABLE && !fields)
		complain(reader, "the verdict is too large");
	if (!fields) {
		lua_pop(L, 1);
		return;
	}
	size_t count = 0;
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING || count == MOST_FIELDS) {
			complain(reader, "the fields of the verdict are not few and named");
			lua_pop(L, 2);
			break;
		}
		read_values(reader, &fields[count]);
		lua_pushvalue(L, -2);
		fields[count++].key = copy_text(reader);
		lua_pop(L, 1);
	}
	verdict->fields = fields;
	verdict->field_count = count;
	lua_pop(L, 1);
}

static bool is_verdict(lua_State *L, int index)
{
	if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index))
		return false;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &lua_verdict_key);
	bool same = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return same;
}

void lua_verdict_read(
	lua_State *L, int index, struct ph_pool *pool, struct ph_verdict *verdict_r, struct ph_error *error)
{
	struct reader reader = { L, index, pool, error };
	if (lua_isnil(L, index))
		return;
	luaL_checkstack(L, 10, NULL);
	if (!is_verdict(L, index)) {
		ph_error_set(error, PH_E_INVALID, "bad verdict",
			"the handler answered with a %s instead of a verdict", luaL_typename(L, index));
		return;
	}
	struct ph_str kind = read_text(&reader, "kind");
	if (!verdict_kind(kind, &verdict_r->kind))
		complain(&reader, "the verdict is of an unknown kind");
	verdict_r->code = read_code(&reader);
	verdict_r->enhanced = read_text(&reader, "enhanced");
	verdict_r->text = verdict_line(pool, read_text(&reader, "text"));
	verdict_r->value = read_text(&reader, "value");
	read_fields(&reader, verdict_r);
}
