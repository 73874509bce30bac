/* SipHash-2-4. See siphash.h. */
#include <config.h>

#include "siphash.h"

#include <stddef.h>

struct state {
	uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

/* As little endian. */
static uint64_t word_at(const char *bytes, size_t len)
{
	uint64_t word = 0;

	for (size_t i = 0; i < len; i++)
		word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
	return word;
}

static void mix(struct state *state, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		state->a += state->b;
		state->c += state->d;
		state->b = rotate(state->b, 13) ^ state->a;
		state->d = rotate(state->d, 16) ^ state->c;
		state->a = rotate(state->a, 32);
		state->c += state->b;
		state->a += state->d;
		state->b = rotate(state->b, 17) ^ state->c;
		state->d = rotate(state->d, 21) ^ state->a;
		state->c = rotate(state->c, 32);
	}
}

static void add(struct state *state, uint64_t word)
{
	state->d ^= word;
	mix(state, 2);
	state->a ^= word;
}

uint64_t siphash(const char key[SIPHASH_KEY_SIZE], struct ph_str text)
{
	uint64_t low = word_at(key, 8), high = word_at(key + 8, 8);
	struct state state = { low ^ 0x736f6d6570736575u, high ^ 0x646f72616e646f6du,
		low ^ 0x6c7967656e657261u, high ^ 0x7465646279746573u };
	size_t at = 0;

	for (; text.len - at >= 8; at += 8)
		add(&state, word_at(text.data + at, 8));
	add(&state, word_at(text.data + at, text.len - at) | (uint64_t)text.len << 56);
	state.c ^= 0xff;
	mix(&state, 4);
	return state.a ^ state.b ^ state.c ^ state.d;
}
