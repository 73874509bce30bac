/* Bindings for policies. A module may offer a library (posthorn.NAME) and methods of its object types. Each
 * function says in its entry what it does, so that the reference is generated from here.
 *
 * A function offered to Lua may park; it then must be entered from a hook (not while a script is loaded):
 * ph_lua_check_parking() raises the Lua error that says so. It must hold nothing across a Lua error: take
 * memory with lua_newuserdatauv() or from a pool that something else frees. */
#ifndef POSTHORN_LUA_H
#define POSTHORN_LUA_H

#include <lauxlib.h>
#include <lua.h>

#include <posthorn/fiber.h>
#include <posthorn/mem.h>
#include <posthorn/value.h>

struct ph_lua_function {
	const char *name; /* NULL ends the table */
	lua_CFunction call;
	const char *signature; /* "get(key) -> string or nil" */
	const char *help;
};

struct ph_lua_library {
	const char *name; /* found by scripts as posthorn.NAME */
	const char *help;
	const struct ph_lua_function *functions;
};

/* In a module's init: offers the library to all scripts; taken back by itself when the module stops. */
void ph_lua_offer(const struct ph_lua_library *library);

/* The object at stack position `index`; raises a Lua error when it is of another type, or over. */
void *ph_lua_object(lua_State *L, int index, const struct ph_object_type *type);
void ph_lua_push(lua_State *L, const struct ph_value *value);
void ph_lua_push_str(lua_State *L, struct ph_str s);
/* A string argument, valid as long as it stays on the Lua stack. */
struct ph_str ph_lua_check_str(lua_State *L, int index);
/* Raises "may not wait here" unless the caller runs in a hook, on a fiber. */
void ph_lua_check_parking(lua_State *L);
/* By when the running hook call must be done. Whatever parks on behalf of Lua waits no longer than this ...
 */
ph_msec ph_lua_deadline(void);
/* ... and, when it has waited and holds nothing any more, calls this: what ran meanwhile is not charged to
 * the hook call. Raises a Lua error when its time is up. */
void ph_lua_waited(lua_State *L);

#endif
