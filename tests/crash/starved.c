/* Loaded into the server with LD_PRELOAD: in each process that it forks, which are its workers, one
 * allocation fails, after STARVED_ALLOCATIONS others and up to as many more. All of calloc and realloc count,
 * those of libraries too. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* The GNU library's own names for what is replaced here. */
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static unsigned usual;
static atomic_uint left; /* 0: none fails */

static void begin_child(void)
{
	left = usual + (unsigned)getpid() * 7919u % usual;
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("STARVED_ALLOCATIONS");

	usual = text ? (unsigned)strtoul(text, NULL, 10) : 0;
	if (usual > 0)
		pthread_atfork(NULL, NULL, begin_child);
}

static int fails(void)
{
	if (left == 0 || --left != 0)
		return 0;
	errno = ENOMEM;
	return 1;
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
