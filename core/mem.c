/* Memory: allocation that aborts when there is none, and pools.
 *
 * A pool is a chain of chunks, newest first. Small requests are cut from the newest chunk; a request larger
 * than a chunk gets one of its own, placed behind the newest so that the space left there is still used. */
#include <config.h>

#include <posthorn/mem.h>

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CHUNK = 1024, LARGEST_CHUNK = 64 * 1024 };

static _Noreturn void out_of_memory(size_t size)
{
	fprintf(stderr, "posthorn: out of memory (%zu bytes wanted)\n", size);
	abort();
}

void *ph_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);
	if (!memory)
		out_of_memory(size);
	return memory;
}

static size_t product(size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total))
		out_of_memory(SIZE_MAX);
	return total;
}

void *ph_alloc_array(size_t count, size_t size)
{
	return ph_alloc(product(count, size));
}

void *ph_realloc_array(void *old, size_t count, size_t size)
{
	size_t total = product(count, size);
	void *memory = realloc(old, total ? total : 1);
	if (!memory)
		out_of_memory(total);
	return memory;
}

char *ph_strdup(const char *text)
{
	return ph_str_dup(ph_str(text));
}

char *ph_str_dup(struct ph_str s)
{
	char *copy = ph_alloc(s.len + 1);
	if (s.len)
		memcpy(copy, s.data, s.len);
	return copy;
}

void ph_wipe(void *data, size_t len)
{
	if (len)
		explicit_bzero(data, len);
}

struct chunk {
	struct chunk *next;
	size_t size;
	size_t used;
	alignas(max_align_t) char data[];
};

struct ph_pool {
	struct chunk *chunks;
	size_t used;
	size_t ceiling;
};

struct ph_pool *ph_pool_new(size_t ceiling)
{
	struct ph_pool *pool = ph_alloc(sizeof(*pool));
	pool->ceiling = ceiling;
	return pool;
}

static struct chunk *chunk_new(size_t size)
{
	if (size > SIZE_MAX - sizeof(struct chunk))
		out_of_memory(size);
	struct chunk *chunk = ph_alloc(sizeof(*chunk) + size);
	chunk->size = size;
	return chunk;
}

static size_t next_chunk_size(const struct ph_pool *pool)
{
	if (!pool->chunks)
		return FIRST_CHUNK;
	return pool->chunks->size >= LARGEST_CHUNK / 2 ? LARGEST_CHUNK : pool->chunks->size * 2;
}

static struct chunk *chunk_with_room(struct ph_pool *pool, size_t size)
{
	if (pool->chunks && pool->chunks->size - pool->chunks->used >= size)
		return pool->chunks;
	size_t usual = next_chunk_size(pool);
	if (size <= usual / 2 || !pool->chunks) {
		struct chunk *chunk = chunk_new(size > usual ? size : usual);
		chunk->next = pool->chunks;
		pool->chunks = chunk;
		return chunk;
	}
	struct chunk *own = chunk_new(size);
	own->next = pool->chunks->next;
	pool->chunks->next = own;
	return own;
}

void *ph_pool_alloc(struct ph_pool *pool, size_t size)
{
	const size_t unit = alignof(max_align_t);
	if (size > SIZE_MAX - unit)
		return NULL;
	size_t rounded = size ? (size + unit - 1) / unit * unit : unit;
	if (pool->ceiling && (pool->used > pool->ceiling || rounded > pool->ceiling - pool->used))
		return NULL;
	struct chunk *chunk = chunk_with_room(pool, rounded);
	void *memory = chunk->data + chunk->used;
	chunk->used += rounded;
	pool->used += rounded;
	return memory;
}

void *ph_pool_array(struct ph_pool *pool, size_t count, size_t size)
{
	size_t total;
	return __builtin_mul_overflow(count, size, &total) ? NULL : ph_pool_alloc(pool, total);
}

struct ph_str ph_pool_str(struct ph_pool *pool, struct ph_str s)
{
	char *copy = ph_pool_alloc(pool, s.len + 1);
	if (!copy)
		return (struct ph_str){ NULL, 0 };
	if (s.len)
		memcpy(copy, s.data, s.len);
	return (struct ph_str){ copy, s.len };
}

struct ph_str ph_pool_printf(struct ph_pool *pool, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	struct ph_str text = ph_pool_vprintf(pool, format, arguments);
	va_end(arguments);
	return text;
}

struct ph_str ph_pool_vprintf(struct ph_pool *pool, const char *format, va_list arguments)
{
	va_list again;
	va_copy(again, arguments);
	int len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	char *text = len < 0 ? NULL : ph_pool_alloc(pool, (size_t)len + 1);
	if (!text)
		return (struct ph_str){ NULL, 0 };
	vsnprintf(text, (size_t)len + 1, format, arguments);
	return (struct ph_str){ text, (size_t)len };
}

size_t ph_pool_used(const struct ph_pool *pool)
{
	return pool->used;
}

static void free_chunks(struct chunk *chunk)
{
	while (chunk) {
		struct chunk *next = chunk->next;
		free(chunk);
		chunk = next;
	}
}

void ph_pool_clear(struct ph_pool *pool)
{
	struct chunk *kept = pool->chunks;
	pool->used = 0;
	if (!kept)
		return;
	free_chunks(kept->next);
	kept->next = NULL;
	if (kept->size > LARGEST_CHUNK) {
		free(kept);
		pool->chunks = NULL;
		return;
	}
	memset(kept->data, 0, kept->used);
	kept->used = 0;
}

void ph_pool_free(struct ph_pool **pool)
{
	if (!*pool)
		return;
	free_chunks((*pool)->chunks);
	free(*pool);
	*pool = NULL;
}
