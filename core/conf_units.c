/* Sizes and times with units, and the nearest word to a misspelt one. */
#include <config.h>

#include "conf_private.h"

#include <inttypes.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t factor;
};

/* Largest first, for printing. */
static const struct unit time_units[] = {
	{ "d", 86400000 },
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
	{ NULL, 0 },
};
static const struct unit size_units[] = {
	{ "G", INT64_C(1) << 30 },
	{ "M", 1 << 20 },
	{ "K", 1 << 10 },
	{ "", 1 },
	{ NULL, 0 },
};

static bool parse(const struct unit *units, struct ph_str text, int64_t bare_factor, int64_t *value_r)
{
	size_t digits = 0;
	uint64_t number;
	struct ph_str name;

	while (digits < text.len && ph_is_digit(text.data[digits]))
		digits++;
	name = ph_str_slice(text, digits, text.len);
	if (!ph_str_number(ph_str_slice(text, 0, digits), INT64_MAX, &number))
		return false;
	if (name.len == 0)
		return !__builtin_mul_overflow((int64_t)number, bare_factor, value_r);
	for (; units->name; units++) {
		if (ph_str_eq(ph_str(units->name), name))
			return !__builtin_mul_overflow((int64_t)number, units->factor, value_r);
	}
	return false;
}

bool conf_parse_time(struct ph_str text, int64_t *value_r)
{
	return parse(time_units, text, 1000, value_r);
}

bool conf_parse_size(struct ph_str text, int64_t *value_r)
{
	return parse(size_units, text, 1, value_r);
}

static void print(const struct unit *units, int64_t value, struct ph_buf *out)
{
	while (units[1].name && (value == 0 || value % units->factor != 0))
		units++;
	ph_buf_printf(out, "%" PRId64 "%s", value / units->factor, units->name);
}

void conf_print_time(struct ph_buf *out, int64_t value)
{
	print(time_units, value, out);
}

void conf_print_size(struct ph_buf *out, int64_t value)
{
	print(size_units, value, out);
}

/* --- Near words --- */

enum { WORD_MAX = 48 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters to change, add, drop, or swap with their neighbour. */
static unsigned edit_distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	unsigned rows[3][WORD_MAX + 1] = { 0 };

	for (unsigned j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned change = last[j - 1] + (a[i - 1] != b[j - 1]);

			now[j] = least(change, least(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

const char *conf_near(const char *word, const char *const *words)
{
	size_t len = strlen(word);
	unsigned best = len < 4 ? 2 : len < 8 ? 3 : 4; /* must be less */
	const char *nearest = NULL;

	if (len > WORD_MAX)
		return NULL;
	for (; *words; words++) {
		unsigned distance = strlen(*words) > WORD_MAX ? WORD_MAX : edit_distance(word, *words);

		if (distance < best) {
			best = distance;
			nearest = *words;
		}
	}
	return nearest;
}
