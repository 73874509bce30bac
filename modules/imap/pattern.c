/* Follows all places in the pattern that the name so far can have led to, so that no pattern makes it try
 * again. */
#include "pattern.h"

#define PATTERN_MAX PH_MAILBOX_NAME_MAX

static bool is_wild(char c)
{
	return c == '*' || c == '%';
}

/* How much of the name's front is compared whatever the case of its letters. */
static size_t inbox_prefix(struct ph_str name)
{
	static const struct ph_str inbox = PH_STR_INIT("INBOX");

	return ph_str_starts(name, inbox) && (name.len == inbox.len || name.data[inbox.len] == '/')
		       ? inbox.len
		       : 0;
}

static bool same(char a, char b, bool fold)
{
	return a == b || (fold && ph_lower(a) == ph_lower(b));
}

/* places[i]: the name so far matches the pattern's first i characters. A wildcard may match nothing. */
static void skip_wild(struct ph_str pattern, unsigned char *places)
{
	for (size_t i = 0; i < pattern.len; i++) {
		if (places[i] && is_wild(pattern.data[i]))
			places[i + 1] = 1;
	}
}

/* Goes from the places before the name's character c to those behind it; false when there are none. */
static bool step(struct ph_str pattern, unsigned char *places, char c, bool fold)
{
	unsigned char any = 0;

	for (size_t i = pattern.len; i > 0; i--) {
		char p = pattern.data[i - 1];
		bool stays = i < pattern.len && places[i] &&
			     (pattern.data[i] == '*' || (pattern.data[i] == '%' && c != '/'));
		bool comes = places[i - 1] && !is_wild(p) && same(p, c, fold);
		places[i] = stays || comes;
		any |= places[i];
	}
	places[0] = places[0] && (pattern.data[0] == '*' || (pattern.data[0] == '%' && c != '/'));
	return any || places[0];
}

static bool match_wild(struct ph_str pattern, struct ph_str name, size_t fold)
{
	unsigned char places[PATTERN_MAX + 1] = { 1 };

	skip_wild(pattern, places);
	for (size_t i = 0; i < name.len; i++) {
		if (!step(pattern, places, name.data[i], i < fold))
			return false;
		skip_wild(pattern, places);
	}
	return places[pattern.len];
}

bool pattern_matches(struct ph_str pattern, struct ph_str name)
{
	size_t fold = inbox_prefix(name);
	size_t plain = 0;

	if (!pattern.data || pattern.len > PATTERN_MAX)
		return false;
	while (plain < pattern.len && !is_wild(pattern.data[plain])) {
		if (plain == name.len || !same(pattern.data[plain], name.data[plain], plain < fold))
			return false;
		plain++;
	}
	if (plain == pattern.len)
		return name.len == plain;
	if (ph_str_eq(ph_str_slice(pattern, plain, pattern.len), PH_STR("*")))
		return true;
	return match_wild(ph_str_slice(pattern, plain, pattern.len), ph_str_slice(name, plain, name.len),
		fold > plain ? fold - plain : 0);
}
