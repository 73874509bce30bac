/* What ph_progress() shows. */
#ifndef POSTHORN_PROGRESS_PRIVATE_H
#define POSTHORN_PROGRESS_PRIVATE_H

#include <posthorn/buf.h>
#include <posthorn/str.h>

struct progress {
	const char *unit;     /* NULL: bytes */
	uint64_t total, done; /* total 0: not known */
	uint64_t elapsed;     /* milliseconds */
};

/* The line, no wider than `columns`; for ph_progress() and its test. */
void progress_format(
	struct ph_buf *line, const struct progress *progress, struct ph_str where, size_t columns);

#endif
