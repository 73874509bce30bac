/* The standard libraries, as far as policies get them.
 *
 * Left out is what reaches outside (io, most of os, package, debug, dofile, loadfile), what could stop the
 * collector (collectgarbage), and precompiled code. Finalizers are refused, for Lua runs them during
 * whichever call happens to collect, with nothing to count their instructions. Replaced is what could swallow
 * the end of a budget (pcall, xpcall, coroutine.resume), and what could work for long inside one C function:
 * that is charged to the budget by how much there is to do. */
#include <config.h>

#include "lua_private.h"

#include <lauxlib.h>
#include <lualib.h>

#include <posthorn/log.h>
#include <posthorn/lua.h>

/* --- pcall and its like --- */

static int after_protected(lua_State *L, int status, lua_KContext first)
{
	if (status == LUA_OK || status == LUA_YIELD)
		return lua_gettop(L) - (int)first;
	lua_budget_check(L);
	lua_pushboolean(L, false);
	lua_insert(L, -2);
	return 2;
}

static int protected_call(lua_State *L)
{
	lua_stack_check(L, STACK_FOR_CALLBACK);
	luaL_checkany(L, 1);
	lua_pushboolean(L, true);
	lua_insert(L, 1);
	int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, after_protected);
	return after_protected(L, status, 0);
}

/* The message handler of xpcall, with the script's own as upvalue. It is called where the error happened,
 * while instructions may not be counted; so it must not run the script's once the budget is used up. */
static int handle_message(lua_State *L)
{
	const struct lua_call *call = lua_call_current();
	if (call && call->over)
		return 1;
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 1, 1);
	return 1;
}

/* Stack: function, handler, true, function, arguments. */
static int protected_call_with_handler(lua_State *L)
{
	lua_stack_check(L, STACK_FOR_CALLBACK);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_pushvalue(L, 2);
	lua_pushcclosure(L, handle_message, 1);
	lua_replace(L, 2);
	lua_pushboolean(L, true);
	lua_pushvalue(L, 1);
	lua_rotate(L, 3, 2);
	int status = lua_pcallk(L, lua_gettop(L) - 4, LUA_MULTRET, 2, 2, after_protected);
	return after_protected(L, status, 2);
}

/* Calls the original, which is the first upvalue, with all arguments. */
static void call_original(lua_State *L)
{
	lua_stack_check(L, STACK_FOR_CALLBACK);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
}

/* coroutine.resume, with the original as upvalue. */
static int coroutine_resume(lua_State *L)
{
	call_original(L);
	if (!lua_toboolean(L, 1))
		lua_budget_check(L);
	return lua_gettop(L);
}

/* coroutine.close, with the original as upvalue. In a coroutine which ended with a call's budget no
 * instructions are counted any more: what it left to be closed must not run. */
static int coroutine_close(lua_State *L)
{
	lua_State *coroutine = lua_tothread(L, 1);
	if (coroutine && lua_status(coroutine) > LUA_YIELD && lua_gethookcount(coroutine) == 1) {
		lua_pushboolean(L, false);
		lua_pushliteral(L, "the coroutine ran out of its budget");
		return 2;
	}
	call_original(L);
	return lua_gettop(L);
}

/* The function made by coroutine.wrap. Upvalues: the coroutine, the originals of resume and close. */
static int wrapped(lua_State *L)
{
	lua_stack_check(L, STACK_FOR_CALLBACK);
	lua_pushvalue(L, lua_upvalueindex(2));
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_rotate(L, 1, 2);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	if (lua_toboolean(L, 1))
		return lua_gettop(L) - 1;
	lua_budget_check(L);
	if (lua_status(lua_tothread(L, lua_upvalueindex(1))) > LUA_YIELD) {
		lua_pushvalue(L, lua_upvalueindex(3));
		lua_pushvalue(L, lua_upvalueindex(1));
		lua_call(L, 1, 2);
	}
	if (lua_type(L, -1) == LUA_TSTRING) {
		luaL_where(L, 1);
		lua_insert(L, -2);
		lua_concat(L, 2);
	}
	return lua_error(L);
}

/* coroutine.wrap, with the originals of create, resume and close as upvalues. */
static int coroutine_wrap(lua_State *L)
{
	lua_settop(L, 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 1, 1);
	lua_pushvalue(L, lua_upvalueindex(2));
	lua_pushvalue(L, lua_upvalueindex(3));
	lua_pushcclosure(L, wrapped, 3);
	return 1;
}

/* --- Base --- */

static int set_metatable(lua_State *L)
{
	int type = lua_type(L, 2);
	luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
	luaL_checktype(L, 1, LUA_TTABLE);
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "cannot change a protected metatable");
	if (type == LUA_TTABLE) {
		lua_pushliteral(L, "__gc");
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L, "policies cannot have finalizers (__gc)");
	}
	lua_settop(L, 2);
	lua_setmetatable(L, 1);
	return 1;
}

/* load(text, name, mode, environment): text only, and given as one string. */
static int load_text(lua_State *L)
{
	struct ph_str text = ph_lua_check_str(L, 1);
	const char *name = luaL_optstring(L, 2, text.data);
	lua_budget_charge(L, text.len);
	lua_stack_check(L, STACK_FOR_PARSER);
	if (luaL_loadbufferx(L, text.data, text.len, name, "t") != LUA_OK) {
		luaL_pushfail(L);
		lua_insert(L, -2);
		return 2;
	}
	if (!lua_isnone(L, 4)) {
		lua_pushvalue(L, 4);
		lua_setupvalue(L, -2, 1);
	}
	return 1;
}

static int print(lua_State *L)
{
	lua_stack_check(L, STACK_FOR_CALLBACK);
	int count = lua_gettop(L);
	luaL_Buffer line;
	luaL_buffinit(L, &line);
	for (int i = 1; i <= count; i++) {
		if (i > 1)
			luaL_addchar(&line, '\t');
		luaL_tolstring(L, i, NULL);
		luaL_addvalue(&line);
	}
	luaL_pushresult(&line);
	ph_log(PH_LOG_INFO, "policy says", PH_LOG_STR("text", ph_lua_check_str(L, -1)));
	return 0;
}

/* --- What a C function has to do, before it begins --- */

static uint64_t distance(lua_Integer first, lua_Integer last)
{
	return first <= last ? (uint64_t)last - (uint64_t)first + 1 : 0;
}

static uint64_t length(lua_State *L, int index)
{
	lua_Integer n = lua_type(L, index) == LUA_TTABLE ? luaL_len(L, index) : 0;
	return n > 0 ? (uint64_t)n : 0;
}

static uint64_t cost_of_move(lua_State *L)
{
	return distance(luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
}

static uint64_t cost_of_range(lua_State *L, int first, int last)
{
	lua_Integer from = luaL_optinteger(L, first, 1);
	return lua_isnoneornil(L, last) ? length(L, 1) : distance(from, luaL_checkinteger(L, last));
}

static uint64_t cost_of_concat(lua_State *L)
{
	return cost_of_range(L, 3, 4);
}

static uint64_t cost_of_unpack(lua_State *L)
{
	return cost_of_range(L, 2, 3);
}

/* table.insert(t, position, value) and table.remove(t, position) move what is behind the position. */
static uint64_t cost_of_shift(lua_State *L)
{
	if (lua_gettop(L) < 2 || !lua_isinteger(L, 2))
		return 1;
	return distance(lua_tointeger(L, 2), (lua_Integer)length(L, 1));
}

static uint64_t cost_of_sort(lua_State *L)
{
	uint64_t count = length(L, 1), cost = count;
	for (uint64_t half = count; half > 1 && cost < UINT32_MAX; half /= 2)
		cost += count;
	return cost;
}

/* string.rep(text, n, separator) */
static uint64_t cost_of_repeat(lua_State *L)
{
	lua_Integer n = luaL_checkinteger(L, 2);
	return n > 0 ? (uint64_t)n / 16 : 0;
}

static uint64_t cost_of_format(lua_State *L)
{
	(void)L;
	return 1;
}

static uint64_t cost_of_text(lua_State *L)
{
	return ph_lua_check_str(L, 1).len / 16;
}

static const struct bounded {
	const char *name;
	uint64_t (*cost)(lua_State *L);
} bounded_table[] = { { "move", cost_of_move }, { "concat", cost_of_concat }, { "unpack", cost_of_unpack },
	{ "insert", cost_of_shift }, { "remove", cost_of_shift }, { "sort", cost_of_sort }, { NULL, NULL } },
  bounded_string[] = { { "rep", cost_of_repeat }, { "lower", cost_of_text }, { "upper", cost_of_text },
	  { "reverse", cost_of_text }, { "format", cost_of_format }, { NULL, NULL } },
  bounded_utf8[] = { { "len", cost_of_text }, { "codepoint", cost_of_text }, { "offset", cost_of_text },
	  { NULL, NULL } };

/* Upvalues: the original, its row. */
static int run_bounded(lua_State *L)
{
	const struct bounded *row = lua_touserdata(L, lua_upvalueindex(2));
	lua_budget_charge(L, row->cost(L));
	call_original(L);
	return lua_gettop(L);
}

/* Replaces functions of the library table at the top. */
static void bound(lua_State *L, const struct bounded *rows)
{
	for (; rows->name; rows++) {
		lua_getfield(L, -1, rows->name);
		lua_pushlightuserdata(L, (void *)(uintptr_t)rows);
		lua_pushcclosure(L, run_bounded, 2);
		lua_setfield(L, -2, rows->name);
	}
}

/* --- Opening --- */

static void remove_names(lua_State *L, const char *const *names)
{
	for (; *names; names++) {
		lua_pushnil(L);
		lua_setfield(L, -2, *names);
	}
}

static void open_base(lua_State *L)
{
	static const char *const not_offered[] = { "dofile", "loadfile", "collectgarbage", "warn", NULL };
	static const struct luaL_Reg replaced[] = {
		{ "pcall", protected_call },
		{ "xpcall", protected_call_with_handler },
		{ "setmetatable", set_metatable },
		{ "load", load_text },
		{ "print", print },
		{ NULL, NULL },
	};
	luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
	remove_names(L, not_offered);
	luaL_setfuncs(L, replaced, 0);
	lua_pop(L, 1);
}

static void open_string(lua_State *L)
{
	static const char *const not_offered[] = { "dump", NULL };
	luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
	remove_names(L, not_offered);
	bound(L, bounded_string);
	lua_string_open(L);
	lua_pop(L, 1);
}

static void open_coroutine(lua_State *L)
{
	static const char *const originals[] = { "create", "resume", "close", NULL };
	luaL_requiref(L, LUA_COLIBNAME, luaopen_coroutine, 1);
	for (const char *const *name = originals; *name; name++)
		lua_getfield(L, 1, *name);
	lua_pushvalue(L, 3);
	lua_pushcclosure(L, coroutine_resume, 1);
	lua_setfield(L, 1, "resume");
	lua_pushvalue(L, 4);
	lua_pushcclosure(L, coroutine_close, 1);
	lua_setfield(L, 1, "close");
	lua_pushcclosure(L, coroutine_wrap, 3);
	lua_setfield(L, 1, "wrap");
	lua_pop(L, 1);
}

static void open_bounded(lua_State *L, const char *name, lua_CFunction open, const struct bounded *rows)
{
	luaL_requiref(L, name, open, 1);
	bound(L, rows);
	lua_pop(L, 1);
}

/* Of os, only the clock. */
static void open_os(lua_State *L)
{
	static const char *const offered[] = { "time", "date", "clock", NULL };
	luaL_requiref(L, LUA_OSLIBNAME, luaopen_os, 0);
	lua_newtable(L);
	for (const char *const *name = offered; *name; name++) {
		lua_getfield(L, -2, *name);
		lua_setfield(L, -2, *name);
	}
	lua_setglobal(L, LUA_OSLIBNAME);
	lua_pop(L, 1);
}

void lua_std_open(lua_State *L)
{
	lua_settop(L, 0);
	open_base(L);
	open_string(L);
	open_coroutine(L);
	open_bounded(L, LUA_TABLIBNAME, luaopen_table, bounded_table);
	open_bounded(L, LUA_UTF8LIBNAME, luaopen_utf8, bounded_utf8);
	luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
	lua_pop(L, 1);
	open_os(L);
}
