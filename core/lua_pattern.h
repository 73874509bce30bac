/* Lua's patterns (reference manual of Lua 5.4, section 6.4.1), matched in steps that are charged to the
 * running call: a pattern that tries endlessly many ways ends with the budget, which Lua's own matcher does
 * not. */
#ifndef CORE_LUA_PATTERN_H
#define CORE_LUA_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include <posthorn/str.h>

enum { PATTERN_CAPTURES = 32, PATTERN_POSITION = -2, PATTERN_UNFINISHED = -1 };

struct pattern_match {
	lua_State *L;
	const char *subject, *subject_end;
	const char *pattern_end;
	int depth;
	unsigned steps;
	int capture_count;
	struct pattern_capture {
		const char *start;
		ptrdiff_t len; /* or PATTERN_POSITION, PATTERN_UNFINISHED */
	} captures[PATTERN_CAPTURES];
};

void pattern_begin(struct pattern_match *match, lua_State *L, struct ph_str subject, struct ph_str pattern);
/* Matches `pattern` (which ends where pattern_begin() was told) at exactly `start`: where the match ends, or
 * NULL. Raises a Lua error for a malformed pattern, and when the budget is used up. */
const char *pattern_match_at(struct pattern_match *match, const char *start, const char *pattern);
/* Pushes the captures, or where there are none the whole match, unless `start` is NULL. Returns how many. */
int pattern_push_captures(struct pattern_match *match, const char *start, const char *end);
/* Pushes one capture, counted from 0; the whole match for 0 where there are none. */
void pattern_push_capture(struct pattern_match *match, int index, const char *start, const char *end);

#endif
