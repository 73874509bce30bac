/* UTF-8: reading it strictly, repairing it, and folding the case of its letters. */
#include "utf8.h"

static int sequence_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xC2 && first < 0xE0)
		return 2;
	if (first >= 0xE0 && first < 0xF0)
		return 3;
	if (first >= 0xF0 && first < 0xF5)
		return 4;
	return -1;
}

/* Overlong forms, surrogates and too large ones all show in the second byte. */
static bool second_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xE0:
		return second >= 0xA0 && second < 0xC0;
	case 0xED:
		return second >= 0x80 && second < 0xA0;
	case 0xF0:
		return second >= 0x90 && second < 0xC0;
	case 0xF4:
		return second >= 0x80 && second < 0x90;
	default:
		return second >= 0x80 && second < 0xC0;
	}
}

int utf8_next(const char *bytes, size_t len, uint32_t *character_r)
{
	const unsigned char *at = (const unsigned char *)bytes;
	int needed = sequence_length(at[0]);
	if (needed <= 1) {
		*character_r = at[0];
		return needed;
	}
	uint32_t character = at[0] & (0x7Fu >> needed);
	for (int i = 1; i < needed; i++) {
		if ((size_t)i >= len)
			return 0;
		if (i == 1 ? !second_fits(at[0], at[1]) : (at[i] & 0xC0) != 0x80)
			return -1;
		character = character << 6 | (at[i] & 0x3Fu);
	}
	*character_r = character;
	return needed;
}

size_t utf8_put(uint32_t character, char bytes_r[UTF8_MAX])
{
	size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
	if (length == 1) {
		bytes_r[0] = (char)character;
		return 1;
	}
	for (size_t i = length - 1; i > 0; i--, character >>= 6)
		bytes_r[i] = (char)(0x80u | (character & 0x3F));
	bytes_r[0] = (char)(0xF0u << (4 - length) | character);
	return length;
}

/* How many of the bytes at the front are ASCII; eight are looked at together. */
static size_t ascii_length(const char *bytes, size_t len)
{
	size_t at = 0;
	uint64_t eight;
	for (; at + sizeof eight <= len; at += sizeof eight) {
		memcpy(&eight, bytes + at, sizeof eight);
		if (eight & 0x8080808080808080u)
			break;
	}
	while (at < len && (unsigned char)bytes[at] < 0x80)
		at++;
	return at;
}

size_t utf8_add_clean(struct ph_buf *buf, struct ph_str text)
{
	size_t begin = 0, at = 0;
	uint32_t character;
	if (text.len == 0)
		return 0;
	while ((at += ascii_length(text.data + at, text.len - at)) < text.len) {
		int length = utf8_next(text.data + at, text.len - at, &character);
		if (length == 0)
			break;
		if (length > 0) {
			at += (size_t)length;
			continue;
		}
		ph_buf_add(buf, text.data + begin, at - begin);
		ph_buf_add_str(buf, UTF8_REPLACEMENT);
		begin = ++at;
	}
	ph_buf_add(buf, text.data + begin, at - begin);
	return at;
}

void utf8_add_all(struct ph_buf *buf, struct ph_str text)
{
	for (size_t used = utf8_add_clean(buf, text); used < text.len; used++)
		ph_buf_add_str(buf, UTF8_REPLACEMENT);
}

/* Ranges of capital letters (Unicode's CaseFolding, status C), each with the way to its small ones. */
static const struct {
	uint32_t first, last;
	int distance; /* 0: capital and small letters take turns, the capital first */
} capitals[] = {
	{ 0xC0, 0xD6, 32 },
	{ 0xD8, 0xDE, 32 },
	{ 0x100, 0x12F, 0 },
	{ 0x132, 0x137, 0 },
	{ 0x139, 0x148, 0 },
	{ 0x14A, 0x177, 0 },
	{ 0x178, 0x178, -121 },
	{ 0x179, 0x17E, 0 },
	{ 0x17F, 0x17F, -268 },
	{ 0x1CD, 0x1DC, 0 },
	{ 0x1DE, 0x1EF, 0 },
	{ 0x1F8, 0x21F, 0 },
	{ 0x222, 0x233, 0 },
	{ 0x386, 0x386, 38 },
	{ 0x388, 0x38A, 37 },
	{ 0x38C, 0x38C, 64 },
	{ 0x38E, 0x38F, 63 },
	{ 0x391, 0x3A1, 32 },
	{ 0x3A3, 0x3AB, 32 },
	{ 0x3C2, 0x3C2, 1 },
	{ 0x400, 0x40F, 80 },
	{ 0x410, 0x42F, 32 },
	{ 0x460, 0x481, 0 },
	{ 0x48A, 0x4BF, 0 },
	{ 0x4C1, 0x4CE, 0 },
	{ 0x4D0, 0x52F, 0 },
	{ 0x531, 0x556, 48 },
	{ 0x1E00, 0x1E95, 0 },
	{ 0x1EA0, 0x1EFF, 0 },
	{ 0xFF21, 0xFF3A, 32 },
};

uint32_t utf8_fold(uint32_t character)
{
	if (character < 0x80)
		return (uint32_t)ph_lower((char)character);
	for (size_t i = 0; i < sizeof capitals / sizeof *capitals && character >= capitals[i].first; i++) {
		if (character > capitals[i].last)
			continue;
		if (capitals[i].distance)
			return (uint32_t)((int)character + capitals[i].distance);
		return character + !((character - capitals[i].first) & 1);
	}
	return character;
}
