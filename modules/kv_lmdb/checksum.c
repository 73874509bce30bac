/* Four lanes of eight bytes each, so that the multiplications overlap. Every step can be undone: two texts of
 * one length that differ in a single word never have the same sum. Who does not know the seed cannot make
 * text with a wanted sum. */
#include <config.h>

#include "checksum.h"

#include <string.h>

#define LANES 4
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static uint64_t step(uint64_t lane, uint64_t word)
{
	lane = (lane ^ word) * MULTIPLIER;
	return lane ^ lane >> 29;
}

static uint64_t load(const unsigned char *from, size_t size)
{
	uint64_t word = 0;

	memcpy(&word, from, size);
	return word;
}

uint64_t checksum(uint64_t seed, const void *data, size_t size)
{
	uint64_t lanes[LANES] = { seed, seed + MULTIPLIER, seed ^ size, ~seed };
	const unsigned char *from = data;

	for (; size >= LANES * 8; from += LANES * 8, size -= LANES * 8)
		for (size_t i = 0; i < LANES; i++)
			lanes[i] = step(lanes[i], load(from + i * 8, 8));
	for (; size >= 8; from += 8, size -= 8)
		lanes[0] = step(lanes[0], load(from, 8));
	if (size > 0)
		lanes[1] = step(lanes[1], load(from, size));
	for (size_t i = 1; i < LANES; i++)
		lanes[0] = step(lanes[0], lanes[i]);
	return step(lanes[0], seed);
}
