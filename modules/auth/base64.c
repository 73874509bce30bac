/* Base64: four characters make three bytes. Each encoding of the same bytes but one is refused. */
#include <config.h>

#include "base64.h"

#include <stdint.h>

static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* How many of the last four characters are padding. */
static size_t padding(struct ph_str text)
{
	if (text.data[text.len - 1] != '=')
		return 0;
	return text.data[text.len - 2] == '=' ? 2 : 1;
}

bool base64_decode(struct ph_str text, char *out, size_t size, size_t *len_r)
{
	*len_r = 0;
	if (text.len % 4 != 0)
		return false;
	if (text.len == 0)
		return true;
	size_t digits = text.len - padding(text);
	size_t len = digits * 6 / 8;
	if (len > size)
		return false;
	uint32_t bits = 0;
	unsigned held = 0;
	char *next = out;
	for (size_t i = 0; i < digits; i++) {
		int value = sextet(text.data[i]);
		if (value < 0)
			return false;
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		held += 6;
		if (held >= 8) {
			held -= 8;
			*next++ = (char)(unsigned char)(bits >> held);
		}
	}
	*len_r = len;
	return (bits & ((1u << held) - 1)) == 0;
}
