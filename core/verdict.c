/* Verdicts: their names, their fields, and the rules they must keep. A verdict ends up in an answer on the
 * wire, so nothing in it may break a line, and its codes must say what its kind says. */
#include <config.h>

#include <posthorn/verdict.h>

#include "verdict_private.h"

/* A reply line of 512 bytes with its codes must have room for the text. */
enum { LONGEST_TEXT = 400 };

static const struct rule {
	const char *name;
	int lowest_code, highest_code; /* 0: takes no code */
	const char *classes;           /* first digits of the enhanced code */
} rules[PH_VERDICT_KINDS] = {
	[PH_PASS] = { "pass", 0, 0, "" },
	[PH_ACCEPT] = { "accept", 200, 299, "2" },
	[PH_REJECT] = { "reject", 500, 599, "5" },
	[PH_DEFER] = { "defer", 400, 499, "4" },
	[PH_DISCONNECT] = { "disconnect", 400, 599, "45" },
	[PH_DISCARD] = { "discard", 0, 0, "" },
	[PH_REWRITE] = { "rewrite", 0, 0, "" },
	[PH_ROUTE] = { "route", 0, 0, "" },
	[PH_READ_ONLY] = { "read_only", 0, 0, "" },
};

const char *ph_verdict_name(enum ph_verdict_kind kind)
{
	return (unsigned)kind < PH_VERDICT_KINDS ? rules[kind].name : "unknown";
}

bool verdict_kind(struct ph_str name, enum ph_verdict_kind *kind_r)
{
	for (unsigned kind = 0; kind < PH_VERDICT_KINDS; kind++) {
		if (ph_str_eq(name, ph_str(rules[kind].name))) {
			*kind_r = (enum ph_verdict_kind)kind;
			return true;
		}
	}
	return false;
}

const struct ph_verdict_field *ph_verdict_field(const struct ph_verdict *verdict, const char *key)
{
	for (size_t i = 0; i < verdict->field_count; i++)
		if (ph_str_eq(verdict->fields[i].key, ph_str(key)))
			return &verdict->fields[i];
	return NULL;
}

struct ph_str verdict_line(struct ph_pool *pool, struct ph_str text)
{
	char line[LONGEST_TEXT];
	size_t len = 0;
	for (size_t i = 0; i < text.len && len < sizeof(line); i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c >= 0x80 && c < 0xc0)
			continue; /* the rest of a UTF-8 character, which became one '?' */
		if (c < ' ' || c == 0x7f)
			line[len++] = ' ';
		else
			line[len++] = c < 0x80 ? (char)c : '?';
	}
	return ph_pool_str(pool, ph_str_trim(ph_str_of(line, len)));
}

/* status-code = ("2"/"4"/"5") "." 1*3digit "." 1*3digit (RFC 2034, section 4) */
static bool is_enhanced(struct ph_str code, const char *classes)
{
	struct ph_str rest = code, piece;
	unsigned pieces = 0;
	while (ph_str_split(&rest, '.', &piece)) {
		uint64_t number;
		if (piece.len > 3 || !ph_str_number(piece, 999, &number))
			return false;
		if (pieces++ == 0 && (piece.len != 1 || !strchr(classes, piece.data[0])))
			return false;
	}
	return pieces == 3 && code.data[code.len - 1] != '.';
}

static bool is_printable(struct ph_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < ' ' || text.data[i] > '~')
			return false;
	return text.len <= LONGEST_TEXT;
}

static bool is_one_line(struct ph_str text)
{
	return ph_str_find(text, '\r') < 0 && ph_str_find(text, '\n') < 0 && ph_str_find(text, '\0') < 0;
}

static bool fields_are_lines(const struct ph_verdict *verdict)
{
	for (size_t i = 0; i < verdict->field_count; i++)
		for (size_t j = 0; j < verdict->fields[i].count; j++)
			if (!is_one_line(verdict->fields[i].values[j]))
				return false;
	return true;
}

int verdict_check(const struct ph_hook_point *point, const struct ph_verdict *verdict, struct ph_error *error)
{
	if ((unsigned)verdict->kind >= PH_VERDICT_KINDS)
		return ph_error_set(
			error, PH_E_INVALID, "bad verdict", "unknown verdict %d", (int)verdict->kind);
	const struct rule *rule = &rules[verdict->kind];
	if (verdict->kind != PH_PASS && point->decides && !(point->verdicts & PH_ALLOWS(verdict->kind)))
		return ph_error_set(error, PH_E_INVALID, "bad verdict", "%s does not allow the verdict %s",
			point->name, rule->name);
	if (verdict->code != 0 && (verdict->code < rule->lowest_code || verdict->code > rule->highest_code))
		return ph_error_set(error, PH_E_INVALID, "bad verdict", "code %d does not fit %s",
			verdict->code, rule->name);
	if (verdict->enhanced.len && !is_enhanced(verdict->enhanced, rule->classes))
		return ph_error_set(error, PH_E_INVALID, "bad verdict",
			"enhanced code \"%.*s\" does not fit %s",
			PH_STR_ARGS(ph_str_slice(verdict->enhanced, 0, 20)), rule->name);
	if (!is_printable(verdict->text))
		return ph_error_set(error, PH_E_INVALID, "bad verdict", "the text is not one printable line");
	if (!is_one_line(verdict->value) || !fields_are_lines(verdict))
		return ph_error_set(error, PH_E_INVALID, "bad verdict", "a value holds a line end or NUL");
	return 0;
}
