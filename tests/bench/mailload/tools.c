#include <config.h>

#include "tools.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <posthorn/mem.h>

void give_up(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("mailload: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(EXIT_FAILURE);
}

uint64_t now_usec(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_nsec / 1000u;
}

double seconds_since(uint64_t usec)
{
	return (double)(now_usec() - usec) / 1e6;
}

double own_cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* splitmix64 */
static uint64_t random_state;

void random_seed(uint64_t seed)
{
	random_state = seed;
}

uint64_t random_next(void)
{
	uint64_t mixed = (random_state += 0x9e3779b97f4a7c15u);

	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
	return mixed ^ (mixed >> 31);
}

uint64_t random_below(uint64_t end)
{
	return end ? random_next() % end : 0;
}

void latencies_add(struct latencies *latencies, uint64_t usec)
{
	if (latencies->count == latencies->capacity) {
		latencies->capacity = latencies->capacity ? latencies->capacity * 2 : 1024;
		latencies->usec =
			ph_realloc_array(latencies->usec, latencies->capacity, sizeof(*latencies->usec));
	}
	latencies->usec[latencies->count++] = usec > UINT32_MAX ? UINT32_MAX : (uint32_t)usec;
}

void latencies_add_all(struct latencies *latencies, const struct latencies *others)
{
	for (size_t i = 0; i < others->count; i++)
		latencies_add(latencies, others->usec[i]);
}

static int compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static double percentile(const struct latencies *latencies, unsigned percent)
{
	size_t place = latencies->count * percent / 100;

	if (latencies->count == 0)
		return 0;
	return latencies->usec[place < latencies->count ? place : latencies->count - 1] / 1000.0;
}

void latencies_print(struct latencies *latencies)
{
	if (latencies->count > 0)
		qsort(latencies->usec, latencies->count, sizeof(*latencies->usec), compare);
	printf(" p50_ms=%.2f p95_ms=%.2f p99_ms=%.2f max_ms=%.2f", percentile(latencies, 50),
		percentile(latencies, 95), percentile(latencies, 99), percentile(latencies, 100));
}
