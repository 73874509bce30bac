/* Reading long texts line by line in bounded memory: a line that is longer than the buffer comes in pieces.
 */
#ifndef STORE_LINES_H
#define STORE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/str.h>

struct lines {
	/* Fills in at most `size` bytes and gives their number; 0 at the end, or a negative code. */
	int (*read)(void *arg, char *to, size_t size);
	void *arg;
	size_t start, end;
	bool at_start; /* the next piece begins a line */
	char buffer[65536];
};

void lines_init(struct lines *lines, int (*read)(void *arg, char *to, size_t size), void *arg);
/* With its line end, if it has one. 1, 0 at the end, or a negative code. */
int lines_next(struct lines *lines, struct ph_str *piece_r, bool *begins_r);

#endif
