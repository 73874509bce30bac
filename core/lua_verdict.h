/* Verdicts on their way from Lua to C. */
#ifndef CORE_LUA_VERDICT_H
#define CORE_LUA_VERDICT_H

#include <lua.h>

#include <posthorn/error.h>
#include <posthorn/mem.h>
#include <posthorn/verdict.h>

/* Reads what a handler answered at that stack position; nil is pass. When it is no verdict, fills *error. May
 * raise a Lua error, and then leaves nothing behind but what lies in the pool. */
void lua_verdict_read(
	lua_State *L, int index, struct ph_pool *pool, struct ph_verdict *verdict_r, struct ph_error *error);

#endif
