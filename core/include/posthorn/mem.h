/* Memory. Small allocations abort the process when there is none: no caller has a sensible way on. A worker
 * that ends so is started anew, and nothing it acknowledged is lost, as after a crash
 * (tests/crash/test_allocation.c). Sizes that a peer chooses are checked against a limit before they come
 * here. Everything comes zeroed.
 *
 * A pool owns many allocations that die together (one command, one transaction, one connection). */
#ifndef POSTHORN_MEM_H
#define POSTHORN_MEM_H

#include <stdarg.h>
#include <stddef.h>

#include <posthorn/str.h>

void *ph_alloc(size_t size) __attribute__((malloc, returns_nonnull));
/* count * size, checked for overflow (which aborts). */
void *ph_alloc_array(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/* Grown bytes are not zeroed. */
void *ph_realloc_array(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *ph_strdup(const char *text) __attribute__((malloc, returns_nonnull));
/* A copy with a NUL behind it, to be freed by the caller. */
char *ph_str_dup(struct ph_str s) __attribute__((malloc, returns_nonnull));
/* Clears bytes so that the compiler may not leave it out: for secrets. */
void ph_wipe(void *data, size_t len);

struct ph_pool;

/* A pool that grows in chunks; `ceiling` bounds the sum of all allocations in bytes (0: no bound). */
struct ph_pool *ph_pool_new(size_t ceiling) __attribute__((returns_nonnull));
/* Zeroed, aligned for any type, valid until the pool is cleared or freed. Returns NULL only when the pool's
 * ceiling would be passed. */
void *ph_pool_alloc(struct ph_pool *pool, size_t size);
void *ph_pool_array(struct ph_pool *pool, size_t count, size_t size);
/* Copies with a NUL behind (not counted in len). An exhausted pool gives { NULL, 0 }. */
struct ph_str ph_pool_str(struct ph_pool *pool, struct ph_str s);
struct ph_str ph_pool_printf(struct ph_pool *pool, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct ph_str ph_pool_vprintf(struct ph_pool *pool, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
/* Bytes handed out so far. */
size_t ph_pool_used(const struct ph_pool *pool);
/* Forgets all allocations and keeps one chunk for the next use. */
void ph_pool_clear(struct ph_pool *pool);
/* Frees the pool and clears the caller's pointer; NULL is allowed. */
void ph_pool_free(struct ph_pool **pool);

#endif
