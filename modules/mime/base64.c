/* Decoding base64 (RFC 2045, 6.8). Characters that are none of it are skipped. */
#include <config.h>

#include "base64.h"

#include <endian.h>

#include "table.h"

enum { SKIP = 64, PAD = 65 };

/* clang-format off */
#define SEXTET(c) (unsigned char)( \
	(c) >= 'A' && (c) <= 'Z' ? (c) - 'A' : \
	(c) >= 'a' && (c) <= 'z' ? (c) - 'a' + 26 : \
	(c) >= '0' && (c) <= '9' ? (c) - '0' + 52 : \
	(c) == '+' ? 62 : (c) == '/' ? 63 : (c) == '=' ? PAD : SKIP)
/* clang-format on */

static const unsigned char sextets[256] = { TABLE_256(SEXTET) };

/* The sextets where they stand in a group of 24 bits; ODD is above those. */
#define ODD (1U << 24)
#define PLACED(c, shift) (SEXTET(c) < SKIP ? (uint32_t)SEXTET(c) << (shift) : ODD)
#define FIRST(c) PLACED(c, 18)
#define SECOND(c) PLACED(c, 12)
#define THIRD(c) PLACED(c, 6)
#define FOURTH(c) PLACED(c, 0)

static const uint32_t first[256] = { TABLE_256(FIRST) };
static const uint32_t second[256] = { TABLE_256(SECOND) };
static const uint32_t third[256] = { TABLE_256(THIRD) };
static const uint32_t fourth[256] = { TABLE_256(FOURTH) };

/* The 24 bits of four characters; at least ODD if one of them is not of base64. */
static inline uint32_t group_at(const unsigned char *in)
{
	return first[in[0]] | second[in[1]] | third[in[2]] | fourth[in[3]];
}

/* Writes the 6 bytes of two groups, and 2 more that count for nothing. */
static inline void write_groups(uint32_t group, uint32_t next, unsigned char *out)
{
	uint64_t bytes = htobe64((uint64_t)group << 40 | (uint64_t)next << 16);
	memcpy(out, &bytes, sizeof bytes);
}

/* Decodes whole groups in whole lines, from the beginning of a group. Returns where it stopped: at the end,
 * or at what is read character by character. */
static const unsigned char *decode_lines(
	const unsigned char *in, const unsigned char *end, unsigned char **out)
{
	unsigned char *to = *out;
	uint32_t group, next;
	for (;;) {
		for (; end - in >= 8; in += 8, to += 6) {
			group = group_at(in);
			next = group_at(in + 4);
			if ((group | next) >= ODD)
				break;
			write_groups(group, next, to);
		}
		if (end - in >= 8 && group < ODD) {
			write_groups(group, 0, to);
			in += 4;
			to += 3;
		}
		if (end - in < 2 || in[0] != '\r' || in[1] != '\n')
			break;
		in += 2;
	}
	*out = to;
	return in;
}

/* Writes the bytes of the held sextets: a full group, or what a cut one holds. */
static unsigned char *write_held(struct ph_mime_decoder *decoder, unsigned char *out)
{
	const unsigned char *held = decoder->held;
	if (decoder->held_count > 1)
		*out++ = (unsigned char)(held[0] << 2 | held[1] >> 4);
	if (decoder->held_count > 2)
		*out++ = (unsigned char)(held[1] << 4 | held[2] >> 2);
	if (decoder->held_count > 3)
		*out++ = (unsigned char)(held[2] << 6 | held[3]);
	decoder->held_count = 0;
	return out;
}

/* Padding ends a group, not the text: joined base64 texts are seen, and nothing is lost by reading on. */
unsigned char *base64_decode(struct ph_mime_decoder *decoder, struct ph_str piece, unsigned char *out)
{
	const unsigned char *in = (const unsigned char *)piece.data;
	const unsigned char *end = in + piece.len;
	while (in < end) {
		if (decoder->held_count == 0)
			in = decode_lines(in, end, &out);
		if (in == end)
			break;
		unsigned char sextet = sextets[*in++];
		if (sextet == PAD)
			out = write_held(decoder, out);
		else if (sextet != SKIP)
			decoder->held[decoder->held_count++] = sextet;
		if (decoder->held_count == 4)
			out = write_held(decoder, out);
	}
	return out;
}

unsigned char *base64_finish(struct ph_mime_decoder *decoder, unsigned char *out)
{
	return write_held(decoder, out);
}
