/* A growing run of bytes with a ceiling. Capacity doubles, so that adding is cheap, and never passes it. */
#include <posthorn/buf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/error.h>
#include <posthorn/mem.h>

enum { SMALLEST = 64 };

void ph_buf_init(struct ph_buf *buf, size_t ceiling)
{
	*buf = (struct ph_buf){ .ceiling = ceiling };
}

static void grow(struct ph_buf *buf, size_t needed)
{
	size_t capacity = buf->capacity ? buf->capacity : SMALLEST;
	while (capacity < needed)
		capacity = capacity > buf->ceiling / 2 ? buf->ceiling : capacity * 2;
	if (capacity > buf->ceiling)
		capacity = buf->ceiling;
	buf->data = ph_realloc_array(buf->data, capacity, 1);
	buf->capacity = capacity;
}

char *ph_buf_reserve(struct ph_buf *buf, size_t size)
{
	if (buf->failed || buf->len > buf->ceiling || size > buf->ceiling - buf->len) {
		buf->failed = true;
		return NULL;
	}
	if (!buf->data || size > buf->capacity - buf->len)
		grow(buf, buf->len + size);
	return buf->data + buf->len;
}

void ph_buf_added(struct ph_buf *buf, size_t size)
{
	PH_ASSERT(size <= buf->capacity - buf->len);
	buf->len += size;
}

bool ph_buf_add(struct ph_buf *buf, const void *data, size_t len)
{
	char *to = ph_buf_reserve(buf, len);
	if (!to)
		return false;
	if (len)
		memcpy(to, data, len);
	buf->len += len;
	return true;
}

bool ph_buf_add_str(struct ph_buf *buf, struct ph_str s)
{
	return ph_buf_add(buf, s.data, s.len);
}

bool ph_buf_add_text(struct ph_buf *buf, const char *text)
{
	return ph_buf_add(buf, text, strlen(text));
}

bool ph_buf_printf(struct ph_buf *buf, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	bool added = ph_buf_vprintf(buf, format, arguments);
	va_end(arguments);
	return added;
}

bool ph_buf_vprintf(struct ph_buf *buf, const char *format, va_list arguments)
{
	char small[256];
	va_list again;
	va_copy(again, arguments);
	int len = vsnprintf(small, sizeof(small), format, again);
	va_end(again);
	if (len < 0) {
		buf->failed = true;
		return false;
	}
	if ((size_t)len < sizeof(small))
		return ph_buf_add(buf, small, (size_t)len);
	char *text = ph_alloc((size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, arguments);
	bool added = ph_buf_add(buf, text, (size_t)len);
	free(text);
	return added;
}

void ph_buf_consume(struct ph_buf *buf, size_t len)
{
	PH_ASSERT(len <= buf->len);
	if (len == 0)
		return;
	buf->len -= len;
	if (buf->len)
		memmove(buf->data, buf->data + len, buf->len);
}

void ph_buf_reset(struct ph_buf *buf)
{
	buf->len = 0;
	buf->failed = false;
}

void ph_buf_free(struct ph_buf *buf)
{
	free(buf->data);
	ph_buf_init(buf, buf->ceiling);
}
