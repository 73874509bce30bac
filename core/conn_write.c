/* Writing to a connection. Small pieces are collected in a block and sent when the turn ends; long ones go
 * out behind it from where they lie. An error lasts: the output is gone then, and later writes repeat it. */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/mem.h>

#include "conn_struct.h"

/* A peer must take PROGRESS bytes within one write_timeout. Pieces from LONG on are worth a system call of
 * their own; shorter ones, and that is most mail, are copied behind the reply they belong to and leave with
 * its end. Behind a STRETCH that a peer took without making us wait, others get their turn. */
enum { PROGRESS = 16 * 1024, LONG = 32 * 1024, STRETCH = 1024 * 1024 };

static int fail(struct ph_conn *conn, int code)
{
	conn->write_error = code;
	conn->out_len = 0;
	return code;
}

static void drop_sent(struct ph_str *part, size_t *sent)
{
	size_t len = *sent < part->len ? *sent : part->len;
	*part = ph_str_slice(*part, len, part->len);
	*sent -= len;
}

/* May park: a peer that takes whatever it is sent must let others run now and then. */
static void rest_after(struct ph_conn *conn, size_t sent)
{
	conn->sent_at_a_stretch += sent;
	if (conn->sent_at_a_stretch < STRETCH)
		return;
	conn->sent_at_a_stretch = 0;
	ph_fiber_yield();
}

/* May park: sends all of both parts. */
static int send_parts(struct ph_conn *conn, struct ph_str first, struct ph_str second)
{
	ph_msec timeout = conn->listener->config->write_timeout;
	ph_msec deadline = ph_now() + timeout;
	size_t progress = 0;
	while (first.len + second.len > 0) {
		struct iovec parts[] = { { (char *)first.data, first.len },
			{ (char *)second.data, second.len } };
		ssize_t result = conn->layer->type->write(conn->layer, parts, 2);
		if (result >= 0) {
			size_t sent = (size_t)result;
			conn->bytes_out += sent;
			progress += sent;
			rest_after(conn, sent);
			drop_sent(&first, &sent);
			drop_sent(&second, &sent);
			continue;
		}
		if (result != LAYER_WANTS_READ && result != LAYER_WANTS_WRITE)
			return fail(conn, (int)result);
		if (progress >= PROGRESS) {
			progress = 0;
			deadline = ph_now() + timeout;
		}
		conn->sent_at_a_stretch = 0;
		if (conn_wait(conn, (int)result, deadline) < 0)
			return fail(conn, PH_E_TIMEOUT);
	}
	return PH_OK;
}

static int send_out(struct ph_conn *conn, struct ph_str more)
{
	int result = send_parts(conn, (struct ph_str){ conn->out, conn->out_len }, more);
	conn->out_len = 0;
	return result;
}

int ph_conn_write(struct ph_conn *conn, struct ph_str bytes)
{
	while (bytes.len > 0 && !conn->write_error) {
		if (!conn->out)
			conn->out = conn_block_take();
		size_t room = CONN_BLOCK - conn->out_len;
		size_t len = bytes.len < room ? bytes.len : room;
		memcpy(conn->out + conn->out_len, bytes.data, len);
		conn->out_len += len;
		bytes = ph_str_slice(bytes, len, bytes.len);
		if (conn->out_len == CONN_BLOCK)
			send_out(conn, PH_STR(""));
	}
	return conn->write_error;
}

int ph_conn_text(struct ph_conn *conn, const char *text)
{
	return ph_conn_write(conn, ph_str(text));
}

int ph_conn_printf(struct ph_conn *conn, const char *format, ...)
{
	char small[512];
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	int len = vsnprintf(small, sizeof(small), format, arguments);
	if (len < (int)sizeof(small)) {
		ph_conn_write(conn, (struct ph_str){ small, len > 0 ? (size_t)len : 0 });
	} else {
		char *text = ph_alloc((size_t)len + 1);
		vsnprintf(text, (size_t)len + 1, format, again);
		ph_conn_write(conn, (struct ph_str){ text, (size_t)len });
		free(text);
	}
	va_end(again);
	va_end(arguments);
	return conn->write_error;
}

int ph_conn_write_long(struct ph_conn *conn, struct ph_str bytes)
{
	if (bytes.len < LONG || conn->write_error)
		return ph_conn_write(conn, bytes);
	return send_out(conn, bytes);
}

int ph_conn_flush(struct ph_conn *conn)
{
	if (conn->out_len > 0 && !conn->write_error)
		send_out(conn, PH_STR(""));
	return conn->write_error;
}

int ph_conn_error(const struct ph_conn *conn)
{
	return conn->write_error;
}
