/* What all of the generator needs: an end with a message, clocks, random numbers, latencies. */
#ifndef MAILLOAD_TOOLS_H
#define MAILLOAD_TOOLS_H

#include <stddef.h>
#include <stdint.h>

/* Says why and ends the program: figures of a run that went wrong are worth nothing. */
void give_up(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

uint64_t now_usec(void);
double seconds_since(uint64_t usec);
/* Processor seconds that this process has used. */
double own_cpu(void);

/* The same numbers for the same seed, so that runs are alike. */
void random_seed(uint64_t seed);
uint64_t random_next(void);
uint64_t random_below(uint64_t end);

struct latencies {
	uint32_t *usec;
	size_t count, capacity;
};

void latencies_add(struct latencies *latencies, uint64_t usec);
void latencies_add_all(struct latencies *latencies, const struct latencies *others);
/* Prints " p50_ms=... p95_ms=... p99_ms=... max_ms=..."; sorts them. */
void latencies_print(struct latencies *latencies);

#endif
