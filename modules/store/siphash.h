/* SipHash-2-4 (Aumasson and Bernstein, 2012): a hash of 64 bits that nobody can foresee without the key. */
#ifndef STORE_SIPHASH_H
#define STORE_SIPHASH_H

#include <stdint.h>

#include <posthorn/str.h>

#define SIPHASH_KEY_SIZE 16

uint64_t siphash(const char key[SIPHASH_KEY_SIZE], struct ph_str text);

#endif
