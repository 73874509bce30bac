/* How far a command is: a line on the terminal that is written over. */
#include <config.h>

#include "progress_private.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <posthorn/tool.h>

#include "log_private.h"

enum {
	LINE_BYTES = 4096,
	BAR = 20,
	COLUMNS = 80,       /* where the terminal does not tell */
	INTERVAL = 100,     /* milliseconds between two lines */
	GUESS_AFTER = 2000, /* milliseconds before the time that is left can be guessed */
};

/* Back to the first column, and nothing behind it. */
#define ERASE "\r\033[K"

static struct {
	const char *unit;
	uint64_t began, drawn; /* milliseconds */
	bool wanted;
	atomic_bool shown;
} state;

/* --- The line --- */

static void add_amount(struct ph_buf *line, const char *unit, uint64_t amount)
{
	char text[PH_TOOL_BYTES];

	if (unit)
		ph_buf_printf(line, "%" PRIu64, amount);
	else
		ph_buf_add_text(line, ph_tool_bytes(amount, text));
}

static void add_bar(struct ph_buf *line, unsigned percent)
{
	ph_buf_add_char(line, '[');
	for (unsigned i = 0; i < BAR; i++)
		ph_buf_add_char(line, i < percent * BAR / 100 ? '#' : '-');
	ph_buf_printf(line, "] %3u %%  ", percent);
}

static void add_left(struct ph_buf *line, const struct progress *progress)
{
	double rest = (double)(progress->total - progress->done) / (double)progress->done;
	uint64_t seconds = (uint64_t)(rest * (double)progress->elapsed / 1000);

	if (seconds >= 3600)
		ph_buf_printf(line, ", %" PRIu64 ":%02u:%02u left", seconds / 3600,
			(unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
	else
		ph_buf_printf(line, ", %u:%02u left", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
}

/* As much as has room. Names come from anybody, and must not steer the terminal. */
static void add_where(struct ph_buf *line, struct ph_str where, size_t columns)
{
	while (where.len > 0) {
		size_t len = log_shown_character(where);
		/* Of those that need three bytes many are twice as wide as others. */
		size_t width = len > 2 ? 2 : 1;

		if (line->failed || width > columns)
			return;
		if (len > 0)
			ph_buf_add(line, where.data, len);
		else
			ph_buf_add_char(line, '?');
		columns -= width;
		where = ph_str_slice(where, len > 0 ? len : 1, where.len);
	}
}

void progress_format(
	struct ph_buf *line, const struct progress *progress, struct ph_str where, size_t columns)
{
	bool is_known = progress->total > 0 && progress->done <= progress->total;
	size_t start = line->len;

	if (is_known)
		add_bar(line, (unsigned)((double)progress->done * 100 / (double)progress->total));
	add_amount(line, progress->unit, progress->done);
	if (is_known) {
		ph_buf_add_text(line, " of ");
		add_amount(line, progress->unit, progress->total);
	}
	if (progress->unit)
		ph_buf_printf(line, " %s", progress->unit);
	if (is_known && progress->done > 0 && progress->elapsed >= GUESS_AFTER)
		add_left(line, progress);
	if (where.len > 0)
		ph_buf_add_text(line, ": ");
	if (line->len - start > columns)
		line->len = start + columns;
	add_where(line, where, columns - (line->len - start));
}

/* --- Showing it --- */

static uint64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool can_show(void)
{
	const char *terminal = getenv("TERM");

	return isatty(STDERR_FILENO) && terminal && terminal[0] && strcmp(terminal, "dumb") != 0;
}

/* The last column stays free: some terminals begin a new line there. */
static size_t columns(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u
									       : COLUMNS - 1u;
}

/* Nobody could be told of a failure. */
static void put(const char *bytes, size_t len)
{
	if (write(STDERR_FILENO, bytes, len) < 0) {
	}
}

void ph_progress_begin(const char *unit)
{
	ph_progress_hide();
	state.wanted = can_show();
	state.unit = unit;
	state.began = milliseconds();
	state.drawn = 0;
}

void ph_progress(struct ph_str where, uint64_t done, uint64_t total)
{
	struct progress progress = { .unit = state.unit, .total = total, .done = done };
	struct ph_buf line;
	uint64_t now;

	if (!state.wanted)
		return;
	now = milliseconds();
	if (now - state.drawn < INTERVAL)
		return;
	state.drawn = now;
	progress.elapsed = now - state.began;
	ph_buf_init(&line, LINE_BYTES);
	/* In the same write, so that it does not flicker. */
	ph_buf_add_text(&line, ERASE);
	progress_format(&line, &progress, where, columns());
	atomic_store(&state.shown, true);
	put(line.data, line.len);
	ph_buf_free(&line);
}

void ph_progress_hide(void)
{
	if (atomic_exchange(&state.shown, false))
		put(ERASE, sizeof(ERASE) - 1);
	state.drawn = 0;
}
