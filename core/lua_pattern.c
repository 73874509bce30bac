/* The matcher: recursive backtracking over the pattern's text. An item is what matches one character: a
 * literal,
 * '.', a class such as %a, or a set in brackets. */
#include <config.h>

#include "lua_pattern.h"

#include <ctype.h>

#include <lauxlib.h>

#include "lua_private.h"

/* Steps between two looks at the budget, and how many of them count as one instruction. */
enum { LOOK_EVERY = 1024, STEPS_OF_INSTRUCTION = 2, DEEPEST = 200 };

void pattern_begin(struct pattern_match *match, lua_State *L, struct ph_str subject, struct ph_str pattern)
{
	match->L = L;
	match->subject = subject.data;
	match->subject_end = subject.data + subject.len;
	match->pattern_end = pattern.data + pattern.len;
	match->depth = 0;
	match->steps = 0;
	match->capture_count = 0;
}

static void step(struct pattern_match *match)
{
	if (++match->steps < LOOK_EVERY)
		return;
	unsigned done = match->steps;
	match->steps = 0;
	lua_budget_charge(match->L, done / STEPS_OF_INSTRUCTION);
}

/* --- Items --- */

/* The end of the set whose '[' is at `item`. A ']' right behind the beginning is a member. */
static const char *set_end(const struct pattern_match *match, const char *item)
{
	const char *p = item + 1;
	if (p < match->pattern_end && *p == '^')
		p++;
	for (bool first = true; p < match->pattern_end; first = false) {
		if (*p == ']' && !first)
			return p + 1;
		p += *p == '%' ? 2 : 1;
	}
	luaL_error(match->L, "malformed pattern (missing ']')");
	return NULL;
}

static const char *item_end(const struct pattern_match *match, const char *item)
{
	if (*item == '[')
		return set_end(match, item);
	if (*item != '%')
		return item + 1;
	if (item + 1 == match->pattern_end)
		luaL_error(match->L, "malformed pattern (ends with '%%')");
	return item + 2;
}

static bool in_class(unsigned char c, char class)
{
	bool is;
	switch (tolower((unsigned char)class)) {
	case 'a':
		is = isalpha(c);
		break;
	case 'c':
		is = iscntrl(c);
		break;
	case 'd':
		is = isdigit(c);
		break;
	case 'g':
		is = isgraph(c);
		break;
	case 'l':
		is = islower(c);
		break;
	case 'p':
		is = ispunct(c);
		break;
	case 's':
		is = isspace(c);
		break;
	case 'u':
		is = isupper(c);
		break;
	case 'w':
		is = isalnum(c);
		break;
	case 'x':
		is = isxdigit(c);
		break;
	default:
		return (unsigned char)class == c;
	}
	return isupper((unsigned char)class) ? !is : is;
}

/* The set begins at '[' and ends behind ']'. */
static bool in_set(unsigned char c, const char *set, const char *end)
{
	const char *p = set + 1, *last = end - 1;
	bool wanted = true;
	if (*p == '^') {
		wanted = false;
		p++;
	}
	while (p < last) {
		if (*p == '%') {
			if (in_class(c, p[1]))
				return wanted;
			p += 2;
		} else if (last - p > 2 && p[1] == '-') {
			if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2])
				return wanted;
			p += 3;
		} else if ((unsigned char)*p++ == c) {
			return wanted;
		}
	}
	return !wanted;
}

static bool item_matches(struct pattern_match *match, const char *s, const char *item, const char *end)
{
	step(match);
	if (s >= match->subject_end)
		return false;
	unsigned char c = (unsigned char)*s;
	switch (*item) {
	case '.':
		return true;
	case '%':
		return in_class(c, item[1]);
	case '[':
		return in_set(c, item, end);
	default:
		return (unsigned char)*item == c;
	}
}

/* --- What is more than one character --- */

/* %bxy: from an x to the y that balances it. */
static const char *match_balance(struct pattern_match *match, const char *s, const char *pair)
{
	if (match->pattern_end - pair < 2)
		luaL_error(match->L, "malformed pattern (missing arguments to '%%b')");
	if (s >= match->subject_end || *s != pair[0])
		return NULL;
	size_t open = 1;
	while (++s < match->subject_end) {
		step(match);
		if (*s == pair[1]) {
			if (--open == 0)
				return s + 1;
		} else if (*s == pair[0]) {
			open++;
		}
	}
	return NULL;
}

/* %f[set]: between a character outside and one inside; both ends of the subject count as NUL. */
static bool at_frontier(const struct pattern_match *match, const char *s, const char *set, const char *end)
{
	unsigned char before = s == match->subject ? '\0' : (unsigned char)s[-1];
	unsigned char behind = s == match->subject_end ? '\0' : (unsigned char)*s;
	return !in_set(before, set, end) && in_set(behind, set, end);
}

/* %1 to %9: what that capture holds, again. */
static const char *match_again(struct pattern_match *match, const char *s, char digit)
{
	int index = digit - '1';
	if (index < 0 || index >= match->capture_count || match->captures[index].len == PATTERN_UNFINISHED)
		luaL_error(match->L, "invalid capture index %%%d", index + 1);
	ptrdiff_t len = match->captures[index].len;
	if (len == PATTERN_POSITION)
		return NULL;
	match->steps += (unsigned)(len / 16);
	step(match);
	if (match->subject_end - s < len || memcmp(match->captures[index].start, s, (size_t)len) != 0)
		return NULL;
	return s + len;
}

/* --- Captures --- */

static const char *open_capture(struct pattern_match *match, const char *s, const char *p, ptrdiff_t len)
{
	if (match->capture_count >= PATTERN_CAPTURES)
		luaL_error(match->L, "too many captures");
	match->captures[match->capture_count++] = (struct pattern_capture){ s, len };
	const char *end = pattern_match_at(match, s, p);
	if (!end)
		match->capture_count--;
	return end;
}

static const char *close_capture(struct pattern_match *match, const char *s, const char *p)
{
	int index = match->capture_count - 1;
	while (index >= 0 && match->captures[index].len != PATTERN_UNFINISHED)
		index--;
	if (index < 0)
		luaL_error(match->L, "invalid pattern capture");
	match->captures[index].len = s - match->captures[index].start;
	const char *end = pattern_match_at(match, s, p);
	if (!end)
		match->captures[index].len = PATTERN_UNFINISHED;
	return end;
}

/* --- Repetitions --- */

static const char *match_most(struct pattern_match *match, const char *s, const char *item, const char *end)
{
	ptrdiff_t count = 0;
	while (item_matches(match, s + count, item, end))
		count++;
	for (; count >= 0; count--) {
		const char *found = pattern_match_at(match, s + count, end + 1);
		if (found)
			return found;
	}
	return NULL;
}

static const char *match_fewest(struct pattern_match *match, const char *s, const char *item, const char *end)
{
	for (;; s++) {
		const char *found = pattern_match_at(match, s, end + 1);
		if (found)
			return found;
		if (!item_matches(match, s, item, end))
			return NULL;
	}
}

/* --- The pattern --- */

/* What the pattern at *p begins with, where it is not an item: moves *s and *p behind it and returns true to
 * go on, or returns false with *s being the result. */
static bool match_special(struct pattern_match *match, const char **s, const char **p)
{
	const char *at = *p;
	switch (at[1]) {
	case 'b':
		*s = match_balance(match, *s, at + 2);
		*p = at + 4;
		return *s != NULL;
	case 'f':
		if (at + 2 >= match->pattern_end || at[2] != '[')
			luaL_error(match->L, "missing '[' after '%%f' in pattern");
		*p = set_end(match, at + 2);
		if (!at_frontier(match, *s, at + 2, *p))
			*s = NULL;
		return *s != NULL;
	default:
		*s = match_again(match, *s, at[1]);
		*p = at + 2;
		return *s != NULL;
	}
}

static bool is_special(const struct pattern_match *match, const char *p)
{
	return *p == '%' && p + 1 < match->pattern_end && (p[1] == 'b' || p[1] == 'f' || ph_is_digit(p[1]));
}

static const char *match_here(struct pattern_match *match, const char *s, const char *p)
{
	while (p < match->pattern_end) {
		step(match);
		if (*p == '(') {
			bool position = p + 1 < match->pattern_end && p[1] == ')';
			return open_capture(match, s, p + (position ? 2 : 1),
				position ? PATTERN_POSITION : PATTERN_UNFINISHED);
		}
		if (*p == ')')
			return close_capture(match, s, p + 1);
		if (*p == '$' && p + 1 == match->pattern_end)
			return s == match->subject_end ? s : NULL;
		if (is_special(match, p)) {
			if (!match_special(match, &s, &p))
				return NULL;
			continue;
		}
		const char *end = item_end(match, p);
		char repeat = '\0';
		if (end < match->pattern_end)
			repeat = *end;
		if (repeat == '*')
			return match_most(match, s, p, end);
		if (repeat == '-')
			return match_fewest(match, s, p, end);
		bool matches = item_matches(match, s, p, end);
		if (repeat == '+')
			return matches ? match_most(match, s + 1, p, end) : NULL;
		if (repeat == '?') {
			const char *found = matches ? pattern_match_at(match, s + 1, end + 1) : NULL;
			if (found)
				return found;
			p = end + 1;
			continue;
		}
		if (!matches)
			return NULL;
		s++;
		p = end;
	}
	return s;
}

const char *pattern_match_at(struct pattern_match *match, const char *start, const char *pattern)
{
	if (++match->depth > DEEPEST)
		luaL_error(match->L, "pattern too complex");
	const char *end = match_here(match, start, pattern);
	match->depth--;
	return end;
}

/* --- Results --- */

void pattern_push_capture(struct pattern_match *match, int index, const char *start, const char *end)
{
	if (index >= match->capture_count) {
		if (index > 0)
			luaL_error(match->L, "invalid capture index %%%d", index + 1);
		lua_pushlstring(match->L, start, (size_t)(end - start));
		return;
	}
	const struct pattern_capture *capture = &match->captures[index];
	if (capture->len == PATTERN_UNFINISHED)
		luaL_error(match->L, "unfinished capture");
	if (capture->len == PATTERN_POSITION)
		lua_pushinteger(match->L, capture->start - match->subject + 1);
	else
		lua_pushlstring(match->L, capture->start, (size_t)capture->len);
}

int pattern_push_captures(struct pattern_match *match, const char *start, const char *end)
{
	int count = match->capture_count == 0 && start ? 1 : match->capture_count;
	luaL_checkstack(match->L, count, "too many captures");
	for (int i = 0; i < count; i++)
		pattern_push_capture(match, i, start, end);
	return count;
}
