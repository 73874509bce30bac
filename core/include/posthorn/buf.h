/* A growing run of bytes that is born with its ceiling. Adding past the ceiling adds nothing and sets
 * `failed`, so that a caller may add many times and look once. */
#ifndef POSTHORN_BUF_H
#define POSTHORN_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <posthorn/str.h>

struct ph_buf {
	char *data;
	size_t len;
	size_t capacity;
	size_t ceiling;
	bool failed;
};

/* No memory is taken before the first byte. */
void ph_buf_init(struct ph_buf *buf, size_t ceiling);
/* Room for `size` more bytes, to be written by the caller at data + len and counted with ph_buf_added();
 * NULL (and failed) past the ceiling. */
char *ph_buf_reserve(struct ph_buf *buf, size_t size);
void ph_buf_added(struct ph_buf *buf, size_t size);
bool ph_buf_add(struct ph_buf *buf, const void *data, size_t len);
bool ph_buf_add_str(struct ph_buf *buf, struct ph_str s);
bool ph_buf_add_text(struct ph_buf *buf, const char *text);
static inline bool ph_buf_add_char(struct ph_buf *buf, char c)
{
	if (buf->len >= buf->capacity || buf->len >= buf->ceiling || buf->failed)
		return ph_buf_add(buf, &c, 1);
	buf->data[buf->len++] = c;
	return true;
}
bool ph_buf_printf(struct ph_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool ph_buf_vprintf(struct ph_buf *buf, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
/* Drops bytes at the front, moving the rest. */
void ph_buf_consume(struct ph_buf *buf, size_t len);
/* Drops all bytes and clears `failed`, keeping the memory. */
void ph_buf_reset(struct ph_buf *buf);
/* Frees the memory; the buffer may be used again with the same ceiling. */
void ph_buf_free(struct ph_buf *buf);

static inline struct ph_str ph_buf_str(const struct ph_buf *buf)
{
	return (struct ph_str){ buf->data, buf->len };
}

#endif
