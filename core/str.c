/* Text as a pointer and a length. */
#include <posthorn/str.h>

bool ph_str_eq(struct ph_str a, struct ph_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool ph_str_case_eq(struct ph_str a, struct ph_str b)
{
	return a.len == b.len && ph_str_case_starts(a, b);
}

int ph_str_cmp(struct ph_str a, struct ph_str b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common ? memcmp(a.data, b.data, common) : 0;
	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool ph_str_starts(struct ph_str s, struct ph_str prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

bool ph_str_case_starts(struct ph_str s, struct ph_str prefix)
{
	if (s.len < prefix.len)
		return false;
	for (size_t i = 0; i < prefix.len; i++)
		if (ph_lower(s.data[i]) != ph_lower(prefix.data[i]))
			return false;
	return true;
}

bool ph_str_ends(struct ph_str s, struct ph_str suffix)
{
	return s.len >= suffix.len && ph_str_eq(ph_str_slice(s, s.len - suffix.len, s.len), suffix);
}

ptrdiff_t ph_str_rfind(struct ph_str s, char c)
{
	for (size_t i = s.len; i > 0; i--)
		if (s.data[i - 1] == c)
			return (ptrdiff_t)(i - 1);
	return -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct ph_str ph_str_trim(struct ph_str s)
{
	size_t from = 0, end = s.len;
	while (from < end && is_blank(s.data[from]))
		from++;
	while (end > from && is_blank(s.data[end - 1]))
		end--;
	return ph_str_slice(s, from, end);
}

/* A used-up rest has no data, so that an empty last piece is still handed out. */
bool ph_str_split(struct ph_str *rest, char separator, struct ph_str *piece_r)
{
	if (!rest->data)
		return false;
	ptrdiff_t at = ph_str_find(*rest, separator);
	if (at < 0) {
		*piece_r = *rest;
		*rest = (struct ph_str){ NULL, 0 };
		return true;
	}
	*piece_r = ph_str_slice(*rest, 0, (size_t)at);
	*rest = ph_str_slice(*rest, (size_t)at + 1, rest->len);
	return true;
}

bool ph_str_number(struct ph_str s, uint64_t max, uint64_t *number_r)
{
	uint64_t number = 0;
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!ph_is_digit(s.data[i]))
			return false;
		uint64_t digit = (uint64_t)(s.data[i] - '0');
		if (digit > max || number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*number_r = number;
	return true;
}

uint64_t ph_str_case_hash(struct ph_str s)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ (unsigned char)ph_lower(s.data[i])) * 0x100000001b3u;
	return hash;
}

bool ph_str_eq_secret(struct ph_str a, struct ph_str b)
{
	if (a.len != b.len)
		return false;
	volatile unsigned char difference = 0;
	for (size_t i = 0; i < a.len; i++)
		difference = (unsigned char)(difference | (a.data[i] ^ b.data[i]));
	return difference == 0;
}
