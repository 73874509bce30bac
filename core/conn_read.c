/* Reading from a connection. The input buffer is a block; what is buffered lies at in_start..in_end and moves
 * to the front when room is needed. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <posthorn/mem.h>

#include "conn_struct.h"
#include "line.h"

/* READS_AT_A_STRETCH: a peer that always has more must let others run now and then. */
enum { KEPT_BLOCKS = 64, READS_AT_A_STRETCH = 16 };

static char *kept[KEPT_BLOCKS];
static unsigned kept_count;

char *conn_block_take(void)
{
	return kept_count > 0 ? kept[--kept_count] : ph_realloc_array(NULL, CONN_BLOCK, 1);
}

void conn_block_give(char **block)
{
	if (*block && kept_count < KEPT_BLOCKS)
		kept[kept_count++] = *block;
	else
		free(*block);
	*block = NULL;
}

void conn_blocks_free(void)
{
	while (kept_count > 0)
		free(kept[--kept_count]);
}

/* Passwords come in here, and the block goes to somebody else next. */
void conn_input_give(struct ph_conn *conn)
{
	if (conn->in)
		ph_wipe(conn->in, conn->in_touched);
	conn_block_give(&conn->in);
	conn->in_start = conn->in_end = conn->in_touched = 0;
}

static struct ph_str buffered(const struct ph_conn *conn)
{
	return (struct ph_str){ conn->in + conn->in_start, conn_buffered(conn) };
}

static void make_room(struct ph_conn *conn)
{
	if (!conn->in)
		conn->in = conn_block_take();
	size_t len = conn_buffered(conn);
	if (conn->in_start > 0 && (len == 0 || conn->in_end == CONN_BLOCK)) {
		memmove(conn->in, conn->in + conn->in_start, len);
		conn->in_start = 0;
		conn->in_end = len;
	}
}

int conn_fill(struct ph_conn *conn)
{
	make_room(conn);
	if (conn->in_end == CONN_BLOCK)
		return PH_E_LIMIT;
	ssize_t got =
		conn->layer->type->read(conn->layer, conn->in + conn->in_end, CONN_BLOCK - conn->in_end);
	if (got > 0) {
		conn->in_end += (size_t)got;
		if (conn->in_touched < conn->in_end)
			conn->in_touched = conn->in_end;
		conn->bytes_in += (uint64_t)got;
		return 1;
	}
	if (got == 0)
		conn->input_ended = true;
	else if (got != LAYER_WANTS_READ && got != LAYER_WANTS_WRITE)
		conn->read_error = (int)got;
	return (int)got;
}

static ph_msec read_deadline(const struct ph_conn *conn)
{
	ph_msec idle = ph_now() + conn->idle_timeout;
	return conn->turn_deadline && conn->turn_deadline < idle ? conn->turn_deadline : idle;
}

static int wait_for_input(struct ph_conn *conn, int wanted, ph_msec deadline)
{
	int result = ph_conn_flush(conn);
	if (result < 0)
		return result;
	conn->reads_at_a_stretch = 0;
	result = conn_wait(conn, wanted, deadline);
	if (result < 0)
		conn->read_timed_out = true;
	return result;
}

/* Reads at least one byte more: 1, 0 at the end, or negative. What was written is sent before it waits, or
 * both ends would. */
static int read_more(struct ph_conn *conn, ph_msec deadline)
{
	if (++conn->reads_at_a_stretch > READS_AT_A_STRETCH) {
		conn->reads_at_a_stretch = 0;
		ph_fiber_yield();
	}
	for (;;) {
		if (conn->read_error || conn->input_ended)
			return conn->read_error;
		int result = conn_fill(conn);
		if (result != LAYER_WANTS_READ && result != LAYER_WANTS_WRITE)
			return result;
		result = wait_for_input(conn, result, deadline);
		if (result < 0)
			return result;
	}
}

/* Drops bytes up to the next line end. */
static int skip_line(struct ph_conn *conn, ph_msec deadline)
{
	for (;;) {
		ptrdiff_t end = ph_str_find(buffered(conn), '\n');
		if (end >= 0) {
			ph_conn_consume(conn, (size_t)end + 1);
			return PH_E_LIMIT;
		}
		ph_conn_consume(conn, conn_buffered(conn));
		int result = read_more(conn, deadline);
		if (result <= 0)
			return result;
	}
}

int ph_conn_read_line(struct ph_conn *conn, size_t max, struct ph_line *line_r)
{
	const size_t most = max < CONN_BLOCK - 2 ? max : CONN_BLOCK - 2;
	ph_msec deadline = read_deadline(conn);
	size_t scanned = 0, used;
	*line_r = (struct ph_line){ .bare_lf = false };
	for (;;) {
		switch (line_take(buffered(conn), scanned, most, line_r, &used)) {
		case LINE_WHOLE:
			ph_conn_consume(conn, used);
			return 1;
		case LINE_TOO_LONG:
			return skip_line(conn, deadline);
		case LINE_PART:
			break;
		}
		scanned = conn_buffered(conn);
		int result = read_more(conn, deadline);
		if (result <= 0)
			return result;
	}
}

int ph_conn_peek(struct ph_conn *conn, struct ph_str *bytes_r)
{
	int result = conn_buffered(conn) > 0 ? 1 : read_more(conn, read_deadline(conn));
	*bytes_r = buffered(conn);
	return result;
}

int ph_conn_peek_more(struct ph_conn *conn, struct ph_str *bytes_r)
{
	int result = read_more(conn, read_deadline(conn));
	*bytes_r = buffered(conn);
	return result;
}

void ph_conn_consume(struct ph_conn *conn, size_t len)
{
	PH_ASSERT(len <= conn_buffered(conn));
	conn->in_start += len;
}

bool ph_conn_has_input(const struct ph_conn *conn)
{
	return conn_buffered(conn) > 0 || conn->input_ended || conn->read_error ||
	       conn->layer->type->pending(conn->layer);
}

void ph_conn_set_turn_timeout(struct ph_conn *conn, ph_msec timeout)
{
	conn->turn_deadline = timeout ? ph_now() + timeout : 0;
}
