/* What the library in Lua (scripts/posthorn/init.lua) is built on: few and plain functions. Scripts do not
 * meet them; the library checks arguments and explains. Also the libraries that modules offer. */
#include <config.h>

#include "lua_private.h"

#include <stdlib.h>

#include <lauxlib.h>

#include <posthorn/conf.h>
#include <posthorn/log.h>
#include <posthorn/loop.h>
#include <posthorn/lua.h>
#include <posthorn/mem.h>

#include "hook_private.h"
#include "lua_host.h"

const char lua_verdict_key;

enum { MOST_LOG_FIELDS = 16 };

static struct offer {
	const struct ph_lua_library *library;
	const char *owner;
} * offers;
static size_t offer_count;

void ph_lua_offer(const struct ph_lua_library *library)
{
	PH_ASSERT(hook_owner());
	offers = ph_realloc_array(offers, offer_count + 1, sizeof(*offers));
	offers[offer_count++] = (struct offer){ library, hook_owner() };
}

void lua_host_withdraw(const char *owner)
{
	size_t kept = 0;
	for (size_t i = 0; i < offer_count; i++)
		if (strcmp(offers[i].owner, owner) != 0)
			offers[kept++] = offers[i];
	offer_count = kept;
	if (kept == 0) {
		free(offers);
		offers = NULL;
	}
}

void ph_lua_check_parking(lua_State *L)
{
	const struct lua_call *call = lua_call_current();
	if (!call || lua_host_loading() || !ph_fiber_self())
		luaL_error(L, "may not wait here: only hook handlers may");
}

ph_msec ph_lua_deadline(void)
{
	const struct lua_call *call = lua_call_current();
	return call ? call->deadline : PH_FOREVER;
}

void ph_lua_waited(lua_State *L)
{
	lua_budget_waited(L);
}

/* subscribe(name, function, order, timeout): `timeout` in seconds, or nil. Returns what is wrong, or nil. */
static int subscribe(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	int order = (int)luaL_checkinteger(L, 3);
	ph_msec timeout = (ph_msec)(luaL_optnumber(L, 4, 0) * 1000);
	struct ph_hook_point *point = hook_find(name);
	const char *nearest = point ? NULL : hook_nearest(name);
	if (!lua_host_loading())
		lua_pushliteral(L, "posthorn.on() works only while the scripts are loaded");
	else if (nearest)
		lua_pushfstring(L, "there is no hook point '%s', did you mean '%s'?", name, nearest);
	else if (!point)
		lua_pushfstring(L, "there is no hook point '%s' (`posthorn hooks` lists them)", name);
	else {
		lua_hook_subscribe(L, point, 2, order, timeout);
		return 0;
	}
	return 1;
}

/* log(level, text, fields): `fields` is a list of keys and values in turn. */
static int write_log(lua_State *L)
{
	static const char *const levels[] = { "debug", "info", "warn", "error", NULL };
	int level = luaL_checkoption(L, 1, NULL, levels);
	const char *text = luaL_checkstring(L, 2);
	luaL_checktype(L, 3, LUA_TTABLE);
	struct ph_log_field fields[MOST_LOG_FIELDS + 1] = { 0 };
	lua_Integer count = luaL_len(L, 3) / 2;
	if (count > MOST_LOG_FIELDS)
		return luaL_error(L, "more than %d fields", MOST_LOG_FIELDS);
	luaL_checkstack(L, 2 * MOST_LOG_FIELDS, NULL);
	for (lua_Integer i = 0; i < count; i++) {
		lua_rawgeti(L, 3, 2 * i + 1);
		lua_rawgeti(L, 3, 2 * i + 2);
		const char *key = luaL_checkstring(L, -2);
		fields[i] = lua_isinteger(L, -1) ? PH_LOG_NUMBER(key, lua_tointeger(L, -1))
						 : PH_LOG_STR(key, ph_lua_check_str(L, -1));
	}
	if (ph_log_enabled((enum ph_log_level)level))
		ph_log_fields((enum ph_log_level)level, text, fields);
	return 0;
}

static int sleep_seconds(lua_State *L)
{
	lua_Number seconds = luaL_checknumber(L, 1);
	ph_lua_check_parking(L);
	ph_msec end = ph_lua_deadline();
	if (seconds * 1000 < (lua_Number)(end - ph_now()))
		end = ph_now() + (seconds > 0 ? (ph_msec)(seconds * 1000) : 0);
	ph_wait_park(ph_wait_begin(), end);
	ph_lua_waited(L);
	return 0;
}

static int clock_time(lua_State *L)
{
	lua_pushnumber(L, (lua_Number)ph_clock_msec() / 1000);
	return 1;
}

static int monotonic_time(lua_State *L)
{
	lua_pushnumber(L, (lua_Number)ph_now() / 1000);
	return 1;
}

static void push_offered(lua_State *L)
{
	lua_newtable(L);
	for (size_t i = 0; i < offer_count; i++) {
		lua_newtable(L);
		for (const struct ph_lua_function *row = offers[i].library->functions; row->name; row++) {
			lua_pushcfunction(L, row->call);
			lua_setfield(L, -2, row->name);
		}
		lua_setfield(L, -2, offers[i].library->name);
	}
}

void lua_library_push(lua_State *L)
{
	static const struct luaL_Reg functions[] = {
		{ "subscribe", subscribe },
		{ "log", write_log },
		{ "sleep", sleep_seconds },
		{ "time", clock_time },
		{ "now", monotonic_time },
		{ NULL, NULL },
	};
	luaL_newlib(L, functions);
	lua_newtable(L);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &lua_verdict_key);
	lua_setfield(L, -2, "verdict");
	push_offered(L);
	lua_setfield(L, -2, "offered");
	lua_pushstring(L, ph_core_config()->hostname);
	lua_setfield(L, -2, "hostname");
	lua_pushliteral(L, PACKAGE_VERSION);
	lua_setfield(L, -2, "version");
}
