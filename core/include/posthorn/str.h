/* Text as a pointer and a length. No NUL is promised behind it, and bytes from the network may hold any
 * value. A ph_str never owns its bytes: whoever hands one out says how long they stay valid. */
#ifndef POSTHORN_STR_H
#define POSTHORN_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ph_str {
	const char *data;
	size_t len;
};

/* A literal as a ph_str; PH_STR_INIT is for static initialisers. */
#define PH_STR_INIT(literal)                      \
	{                                         \
		("" literal), sizeof(literal) - 1 \
	}
#define PH_STR(literal) ((struct ph_str)PH_STR_INIT(literal))

/* For printf("%.*s", PH_STR_ARGS(s)). */
#define PH_STR_ARGS(s) (int)(s).len, (s).data

static inline struct ph_str ph_str(const char *text)
{
	return (struct ph_str){ text, text ? strlen(text) : 0 };
}

static inline struct ph_str ph_str_of(const void *data, size_t len)
{
	return (struct ph_str){ data, len };
}

/* ASCII only: the locale never decides about protocol text. */
static inline char ph_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool ph_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ph_is_alpha(char c)
{
	c = ph_lower(c);
	return c >= 'a' && c <= 'z';
}

bool ph_str_eq(struct ph_str a, struct ph_str b);
/* Equal but for ASCII case. */
bool ph_str_case_eq(struct ph_str a, struct ph_str b);
/* As memcmp, the shorter first when one begins the other. */
int ph_str_cmp(struct ph_str a, struct ph_str b);
bool ph_str_starts(struct ph_str s, struct ph_str prefix);
bool ph_str_case_starts(struct ph_str s, struct ph_str prefix);
bool ph_str_ends(struct ph_str s, struct ph_str suffix);
/* Position of the first (last) such byte, or -1. */
static inline ptrdiff_t ph_str_find(struct ph_str s, char c)
{
	const char *found = s.len ? (const char *)memchr(s.data, c, s.len) : NULL;
	return found ? found - s.data : -1;
}
ptrdiff_t ph_str_rfind(struct ph_str s, char c);
/* Bytes from..end, both cut to the length of s. */
static inline struct ph_str ph_str_slice(struct ph_str s, size_t from, size_t end)
{
	if (end > s.len)
		end = s.len;
	if (from > end)
		from = end;
	return (struct ph_str){ s.len ? s.data + from : s.data, end - from };
}
/* Without spaces, tabs, CR and LF at both ends. */
struct ph_str ph_str_trim(struct ph_str s);
/* Takes the next piece up to `separator` off the front of *rest; false when *rest is used up. */
bool ph_str_split(struct ph_str *rest, char separator, struct ph_str *piece_r);
/* The whole of s as a decimal number of digits only, at most `max`; false otherwise. */
bool ph_str_number(struct ph_str s, uint64_t max, uint64_t *number_r);
/* FNV-1a of the bytes, ASCII-lowered: a hash for tables, not for secrets. */
uint64_t ph_str_case_hash(struct ph_str s);
/* Compares secrets in a time that depends on the lengths only. */
bool ph_str_eq_secret(struct ph_str a, struct ph_str b);

#endif
