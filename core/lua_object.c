/* Things of C as seen by scripts: read-only userdata with the fields and methods of their object type.
 *
 * The userdata holds a plain pointer and never owns what it points to. When the thing is over (the hook call
 * ended; for a session, the connection closed), the pointer is cleared, and later use raises an error. The
 * metatable of each object type lies in the registry under the type's address; its functions have a table of
 * the type's names as their upvalue: a method is found there as a function, a field as a light userdata. */
#include <config.h>

#include "lua_private.h"

#include <stdlib.h>

#include <posthorn/lua.h>

#include "conn_private.h"
#include "lua_hook.h"

struct lua_object {
	struct ph_list node; /* in the call's objects, or in `sessions` */
	const struct ph_object_type *type;
	void *pointer; /* NULL: over */
	int reference; /* of a session: keeps it alive */
};

/* User values of a session. */
enum { STATE = 1, TRANSACTION = 2 };

static struct ph_list sessions = { &sessions, &sessions };

/* --- Access --- */

static struct lua_object *check_object(lua_State *L, int index, const struct ph_object_type *type)
{
	struct lua_object *object = lua_touserdata(L, index);
	bool same = false;
	if (object && lua_getmetatable(L, index)) {
		lua_rawgetp(L, LUA_REGISTRYINDEX, type);
		same = lua_rawequal(L, -1, -2);
		lua_pop(L, 2);
	}
	if (!same)
		luaL_typeerror(L, index, type->name);
	return object;
}

static struct lua_object *check_live(lua_State *L, int index, const struct ph_object_type *type)
{
	struct lua_object *object = check_object(L, index, type);
	if (!object->pointer)
		luaL_error(L, "%s is over", type->name);
	return object;
}

void *ph_lua_object(lua_State *L, int index, const struct ph_object_type *type)
{
	return check_live(L, index, type)->pointer;
}

/* The type is known to all functions of its metatable. */
static const struct ph_object_type *own_type(lua_State *L)
{
	return lua_touserdata(L, lua_upvalueindex(1));
}

/* A table of the session's own, made when first asked for. */
static int session_table(lua_State *L, int which)
{
	if (lua_getiuservalue(L, 1, which) != LUA_TTABLE) {
		lua_newtable(L);
		lua_pushvalue(L, -1);
		lua_setiuservalue(L, 1, which);
	}
	return 1;
}

/* What is under none of the names that the type declares. */
static int get_other(lua_State *L, const struct lua_object *object)
{
	struct ph_str name = ph_lua_check_str(L, 2);
	if (object->type == &ph_session_type && ph_str_eq(name, PH_STR("state")))
		return session_table(L, STATE);
	if (object->type == &ph_session_type && ph_str_eq(name, PH_STR("transaction")))
		return session_table(L, TRANSACTION);
	if (!object->type->get_other)
		return luaL_error(L, "%s has no field '%s'", object->type->name, name.data);
	struct ph_value value = { .type = PH_NIL };
	object->type->get_other(object->pointer, name, &value);
	ph_lua_push(L, &value);
	return 1;
}

static int object_index(lua_State *L)
{
	const struct lua_object *object = check_live(L, 1, own_type(L));
	lua_pushvalue(L, 2);
	switch (lua_rawget(L, lua_upvalueindex(2))) {
	case LUA_TFUNCTION:
		return 1;
	case LUA_TLIGHTUSERDATA: {
		const struct ph_object_field *field = lua_touserdata(L, -1);
		struct ph_value value = { .type = PH_NIL };
		field->get(object->pointer, &value);
		ph_lua_push(L, &value);
		return 1;
	}
	default:
		return get_other(L, object);
	}
}

static int object_newindex(lua_State *L)
{
	return luaL_error(L, "%s is read-only", own_type(L)->name);
}

/* The iterator of pairs(): from field to field, leaving out what is nil. */
static int next_field(lua_State *L)
{
	const struct lua_object *object = check_live(L, 1, own_type(L));
	const struct ph_object_field *field = object->type->fields;
	if (!lua_isnoneornil(L, 2)) {
		struct ph_str last = ph_lua_check_str(L, 2);
		while (field && field->name && !ph_str_eq(ph_str(field->name), last))
			field++;
		if (field && field->name)
			field++;
	}
	for (; field && field->name; field++) {
		struct ph_value value = { .type = PH_NIL };
		field->get(object->pointer, &value);
		if (value.type == PH_NIL)
			continue;
		lua_pushstring(L, field->name);
		ph_lua_push(L, &value);
		return 2;
	}
	lua_pushnil(L);
	return 1;
}

static int object_pairs(lua_State *L)
{
	const struct lua_object *object = check_live(L, 1, own_type(L));
	lua_pushlightuserdata(L, (void *)(uintptr_t)object->type);
	lua_pushcclosure(L, next_field, 1);
	lua_pushvalue(L, 1);
	lua_pushnil(L);
	return 3;
}

static void add_text_fields(luaL_Buffer *text, const struct lua_object *object)
{
	for (const struct ph_object_field *field = object->type->fields; field && field->name; field++) {
		struct ph_value value = { .type = PH_NIL };
		field->get(object->pointer, &value);
		if (value.type != PH_STRING)
			continue;
		luaL_addstring(text, " ");
		luaL_addstring(text, field->name);
		luaL_addstring(text, "=");
		struct ph_str shown = ph_str_slice(value.string, 0, 80);
		luaL_addlstring(text, shown.len ? shown.data : "", shown.len);
	}
}

static int object_tostring(lua_State *L)
{
	const struct lua_object *object = check_object(L, 1, own_type(L));
	luaL_Buffer text;
	luaL_buffinit(L, &text);
	luaL_addstring(&text, object->type->name);
	if (object->pointer)
		add_text_fields(&text, object);
	else
		luaL_addstring(&text, " (over)");
	luaL_pushresult(&text);
	return 1;
}

static int object_collect(lua_State *L)
{
	struct lua_object *object = lua_touserdata(L, 1);
	ph_list_remove(&object->node);
	return 0;
}

/* --- Making --- */

static void push_names(lua_State *L, const struct ph_object_type *type)
{
	lua_newtable(L);
	for (const struct ph_object_field *field = type->fields; field && field->name; field++) {
		lua_pushlightuserdata(L, (void *)(uintptr_t)field);
		lua_setfield(L, -2, field->name);
	}
	for (const struct ph_object_method *method = type->methods; method && method->name; method++) {
		lua_pushcfunction(L, method->call);
		lua_setfield(L, -2, method->name);
	}
}

static void push_metatable(lua_State *L, const struct ph_object_type *type)
{
	static const struct luaL_Reg functions[] = {
		{ "__index", object_index },
		{ "__newindex", object_newindex },
		{ "__pairs", object_pairs },
		{ "__tostring", object_tostring },
		{ "__gc", object_collect },
		{ NULL, NULL },
	};
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, type) == LUA_TTABLE)
		return;
	lua_pop(L, 1);
	lua_newtable(L);
	lua_pushlightuserdata(L, (void *)(uintptr_t)type);
	push_names(L, type);
	luaL_setfuncs(L, functions, 2);
	lua_pushstring(L, type->name);
	lua_setfield(L, -2, "__name");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, type);
}

/* Pushes a new object. Its metatable is made first, so that it is not half-made when memory runs out. */
static struct lua_object *push_new(lua_State *L, const struct ph_object_type *type, void *pointer,
	int user_values, struct ph_list *owner)
{
	push_metatable(L, type);
	struct lua_object *object = lua_newuserdatauv(L, sizeof(*object), user_values);
	*object = (struct lua_object){ .type = type, .pointer = pointer, .reference = LUA_NOREF };
	ph_list_append(owner, &object->node);
	lua_insert(L, -2);
	lua_setmetatable(L, -2);
	return object;
}

void lua_object_end_all(struct ph_list *objects)
{
	PH_LIST_EACH (objects, node) {
		ph_container_of(node, struct lua_object, node)->pointer = NULL;
		ph_list_remove(node);
	}
}

static void push_object(lua_State *L, const struct ph_object_type *type, void *pointer)
{
	struct lua_call *call = lua_call_current();
	if (!pointer)
		lua_pushnil(L);
	else if (type == &ph_session_type)
		lua_session_push(L, pointer);
	else if (!call || lua_host_loading())
		luaL_error(L, "there is no %s while the scripts are loaded", type->name);
	else
		push_new(L, type, pointer, 0, &call->objects);
}

static void push_strings(lua_State *L, const struct ph_str *items, size_t count)
{
	lua_createtable(L, (int)(count < 1000 ? count : 1000), 0);
	for (size_t i = 0; i < count; i++) {
		ph_lua_push_str(L, items[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

void ph_lua_push_str(lua_State *L, struct ph_str s)
{
	lua_pushlstring(L, s.len ? s.data : "", s.len);
}

struct ph_str ph_lua_check_str(lua_State *L, int index)
{
	size_t len;
	const char *data = luaL_checklstring(L, index, &len);
	return ph_str_of(data, len);
}

void ph_lua_push(lua_State *L, const struct ph_value *value)
{
	luaL_checkstack(L, 6, NULL);
	switch (value->type) {
	case PH_NIL:
		lua_pushnil(L);
		break;
	case PH_BOOLEAN:
		lua_pushboolean(L, value->boolean);
		break;
	case PH_INTEGER:
		lua_pushinteger(L, value->integer);
		break;
	case PH_STRING:
		ph_lua_push_str(L, value->string);
		break;
	case PH_STRINGS:
		push_strings(L, value->strings.items, value->strings.count);
		break;
	case PH_OBJECT:
		push_object(L, value->object.type, value->object.pointer);
		break;
	}
}

/* --- Sessions --- */

void lua_session_push(lua_State *L, struct ph_conn *conn)
{
	if (!conn) {
		lua_pushnil(L);
		return;
	}
	void **slot = conn_lua_slot(conn);
	struct lua_object *object = *slot;
	if (object) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, object->reference);
		return;
	}
	object = push_new(L, &ph_session_type, NULL, TRANSACTION, &sessions);
	lua_pushvalue(L, -1);
	object->reference = luaL_ref(L, LUA_REGISTRYINDEX);
	object->pointer = conn; /* only now: taking the reference may have failed */
	*slot = object;
}

/* Outside of any call, and so nothing here may take memory. */
static void clear_user_value(const struct lua_object *object, int which)
{
	lua_State *L = lua_host_main();
	lua_rawgeti(L, LUA_REGISTRYINDEX, object->reference);
	lua_pushnil(L);
	lua_setiuservalue(L, -2, which);
	lua_pop(L, 1);
}

void lua_session_end_transaction(void *slot)
{
	if (slot)
		clear_user_value(slot, TRANSACTION);
}

void lua_session_free(void *slot)
{
	struct lua_object *object = slot;
	if (!object)
		return;
	clear_user_value(object, STATE);
	clear_user_value(object, TRANSACTION);
	object->pointer = NULL;
	ph_list_remove(&object->node);
	luaL_unref(lua_host_main(), LUA_REGISTRYINDEX, object->reference);
}

void lua_session_forget_all(void)
{
	PH_LIST_EACH (&sessions, node) {
		struct lua_object *object = ph_container_of(node, struct lua_object, node);
		if (object->pointer)
			*conn_lua_slot(object->pointer) = NULL;
		object->pointer = NULL;
		ph_list_remove(node);
	}
}
