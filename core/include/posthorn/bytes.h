/* Numbers as bytes, most significant first, so that they sort as they count. */
#ifndef POSTHORN_BYTES_H
#define POSTHORN_BYTES_H

#include <stdint.h>

static inline void ph_bytes_put16(void *to, uint16_t number)
{
	unsigned char *bytes = to;

	bytes[0] = (unsigned char)(number >> 8);
	bytes[1] = (unsigned char)number;
}

static inline void ph_bytes_put32(void *to, uint32_t number)
{
	unsigned char *bytes = to;

	ph_bytes_put16(bytes, (uint16_t)(number >> 16));
	ph_bytes_put16(bytes + 2, (uint16_t)number);
}

static inline void ph_bytes_put64(void *to, uint64_t number)
{
	unsigned char *bytes = to;

	ph_bytes_put32(bytes, (uint32_t)(number >> 32));
	ph_bytes_put32(bytes + 4, (uint32_t)number);
}

static inline uint16_t ph_bytes_get16(const void *from)
{
	const unsigned char *bytes = from;

	return (uint16_t)((uint16_t)(bytes[0] << 8) | bytes[1]);
}

static inline uint32_t ph_bytes_get32(const void *from)
{
	const unsigned char *bytes = from;

	return (uint32_t)ph_bytes_get16(bytes) << 16 | ph_bytes_get16(bytes + 2);
}

static inline uint64_t ph_bytes_get64(const void *from)
{
	const unsigned char *bytes = from;

	return (uint64_t)ph_bytes_get32(bytes) << 32 | ph_bytes_get32(bytes + 4);
}

#endif
