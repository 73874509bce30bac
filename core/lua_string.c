/* string.find, match, gmatch and gsub over the bounded matcher. They behave as the reference manual says. */
#include <config.h>

#include "lua_private.h"

#include <lauxlib.h>

#include <posthorn/lua.h>

#include "lua_pattern.h"

/* Where a search begins, as an offset: `init` as the manual has it, from 1, or from the end when negative. */
static size_t search_start(lua_State *L, int index, size_t len)
{
	lua_Integer init = luaL_optinteger(L, index, 1);
	if (init > 0)
		return (size_t)init - 1;
	if (init == 0 || init < -(lua_Integer)len)
		return 0;
	return len - (size_t)-init;
}

static bool has_specials(struct ph_str pattern)
{
	for (size_t i = 0; i < pattern.len; i++)
		if (pattern.data[i] && strchr("^$*+?.([%-", pattern.data[i]))
			return true;
	return false;
}

static int find_plain(lua_State *L, struct ph_str subject, struct ph_str text, size_t from)
{
	lua_budget_charge(L, (subject.len - from) / 64);
	const char *found = text.len == 0
				    ? subject.data + from
				    : memmem(subject.data + from, subject.len - from, text.data, text.len);
	if (!found) {
		luaL_pushfail(L);
		return 1;
	}
	lua_pushinteger(L, found - subject.data + 1);
	lua_pushinteger(L, found - subject.data + (lua_Integer)text.len);
	return 2;
}

static int find_pattern(lua_State *L, struct ph_str subject, struct ph_str pattern, size_t from, bool find)
{
	struct pattern_match match;
	const char *p = pattern.data;
	bool anchored = pattern.len > 0 && *p == '^';
	pattern_begin(&match, L, subject, pattern);
	for (const char *s = subject.data + from; s <= match.subject_end; s++) {
		match.capture_count = 0;
		const char *end = pattern_match_at(&match, s, p + anchored);
		if (end && find) {
			lua_pushinteger(L, s - subject.data + 1);
			lua_pushinteger(L, end - subject.data);
			return pattern_push_captures(&match, NULL, NULL) + 2;
		}
		if (end)
			return pattern_push_captures(&match, s, end);
		if (anchored)
			break;
	}
	luaL_pushfail(L);
	return 1;
}

static int string_search(lua_State *L, bool find)
{
	struct ph_str subject = ph_lua_check_str(L, 1), pattern = ph_lua_check_str(L, 2);
	size_t from = search_start(L, 3, subject.len);
	if (from > subject.len) {
		luaL_pushfail(L);
		return 1;
	}
	if (find && (lua_toboolean(L, 4) || !has_specials(pattern)))
		return find_plain(L, subject, pattern, from);
	return find_pattern(L, subject, pattern, from, find);
}

static int string_find(lua_State *L)
{
	return string_search(L, true);
}

static int string_match(lua_State *L)
{
	return string_search(L, false);
}

/* --- gmatch --- */

/* Upvalues: subject, pattern, offset to go on from, end of the last match (which an empty one must not
 * repeat). */
enum { SUBJECT = 1, PATTERN, OFFSET, LAST_END };

static int gmatch_next(lua_State *L)
{
	struct ph_str subject = ph_lua_check_str(L, lua_upvalueindex(SUBJECT));
	struct ph_str pattern = ph_lua_check_str(L, lua_upvalueindex(PATTERN));
	lua_Integer last_end = lua_tointeger(L, lua_upvalueindex(LAST_END));
	struct pattern_match match;
	pattern_begin(&match, L, subject, pattern);
	for (const char *s = subject.data + lua_tointeger(L, lua_upvalueindex(OFFSET));
		s <= match.subject_end; s++) {
		match.capture_count = 0;
		const char *end = pattern_match_at(&match, s, pattern.data);
		if (!end || end - subject.data == last_end)
			continue;
		lua_pushinteger(L, end - subject.data);
		lua_pushvalue(L, -1);
		lua_replace(L, lua_upvalueindex(OFFSET));
		lua_replace(L, lua_upvalueindex(LAST_END));
		return pattern_push_captures(&match, s, end);
	}
	return 0;
}

static int string_gmatch(lua_State *L)
{
	struct ph_str subject = ph_lua_check_str(L, 1);
	ph_lua_check_str(L, 2);
	size_t from = search_start(L, 3, subject.len);
	if (from > subject.len)
		from = subject.len + 1;
	lua_settop(L, 2);
	lua_pushinteger(L, (lua_Integer)from);
	lua_pushinteger(L, -1);
	lua_pushcclosure(L, gmatch_next, 4);
	return 1;
}

/* --- gsub --- */

/* The replacement text, with %0 to %9 and %% filled in. */
static void add_text(struct pattern_match *match, luaL_Buffer *out, const char *start, const char *end)
{
	struct ph_str text = ph_lua_check_str(match->L, 3);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c != '%') {
			luaL_addchar(out, c);
			continue;
		}
		c = ++i < text.len ? text.data[i] : '\0';
		if (c == '%') {
			luaL_addchar(out, c);
		} else if (c == '0') {
			luaL_addlstring(out, start, (size_t)(end - start));
		} else if (ph_is_digit(c)) {
			pattern_push_capture(match, c - '1', start, end);
			luaL_tolstring(match->L, -1, NULL);
			lua_remove(match->L, -2);
			luaL_addvalue(out);
		} else {
			luaL_error(match->L, "invalid use of '%%' in replacement string");
		}
	}
}

/* What the function or table gives for the match; nil and false leave it as it is. */
static bool add_answer(struct pattern_match *match, luaL_Buffer *out, const char *start, const char *end)
{
	lua_State *L = match->L;
	if (lua_type(L, 3) == LUA_TFUNCTION) {
		lua_pushvalue(L, 3);
		lua_call(L, pattern_push_captures(match, start, end), 1);
	} else {
		pattern_push_capture(match, 0, start, end);
		lua_gettable(L, 3);
	}
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		luaL_addlstring(out, start, (size_t)(end - start));
		return false;
	}
	if (!lua_isstring(L, -1))
		luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
	luaL_addvalue(out);
	return true;
}

static bool add_replacement(struct pattern_match *match, luaL_Buffer *out, const char *start, const char *end)
{
	int type = lua_type(match->L, 3);
	if (type == LUA_TFUNCTION || type == LUA_TTABLE)
		return add_answer(match, out, start, end);
	add_text(match, out, start, end);
	return true;
}

static int string_gsub(lua_State *L)
{
	lua_stack_check(L, STACK_FOR_CALLBACK);
	struct ph_str subject = ph_lua_check_str(L, 1), pattern = ph_lua_check_str(L, 2);
	int type = lua_type(L, 3);
	luaL_argexpected(L,
		type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
		"string/function/table");
	lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)subject.len + 1), count = 0;
	bool anchored = pattern.len > 0 && *pattern.data == '^', changed = false;
	const char *s = subject.data, *last_end = NULL;
	struct pattern_match match;
	luaL_Buffer out;
	pattern_begin(&match, L, subject, pattern);
	luaL_buffinit(L, &out);
	while (count < most) {
		match.capture_count = 0;
		const char *end = pattern_match_at(&match, s, pattern.data + anchored);
		if (end && end != last_end) {
			count++;
			changed |= add_replacement(&match, &out, s, end);
			s = last_end = end;
		} else if (s < match.subject_end) {
			luaL_addchar(&out, *s++);
		} else {
			break;
		}
		if (anchored)
			break;
	}
	if (changed) {
		luaL_addlstring(&out, s, (size_t)(match.subject_end - s));
		luaL_pushresult(&out);
	} else {
		lua_pushvalue(L, 1);
	}
	lua_pushinteger(L, count);
	return 2;
}

void lua_string_open(lua_State *L)
{
	static const struct luaL_Reg functions[] = {
		{ "find", string_find },
		{ "match", string_match },
		{ "gmatch", string_gmatch },
		{ "gsub", string_gsub },
		{ NULL, NULL },
	};
	luaL_setfuncs(L, functions, 0);
}
