/* Allocations that fail. See failing_allocation.h. */
#include <config.h>

#include "failing_allocation.h"

#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static atomic_bool of_first_thread;
static atomic_uint left; /* 0: none fails */

void failing_allocation_arm(bool first_thread, unsigned nth)
{
	of_first_thread = first_thread;
	left = nth;
}

static bool fails(void)
{
	return left > 0 && (gettid() == getpid()) == of_first_thread && --left == 0;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}
