#ifndef MIME_EMBEDDED_H
#define MIME_EMBEDDED_H

#include <posthorn/mime.h>

enum { EMBEDDED_LINE_MAX = 256 };

/* Looks for files in text that comes in pieces. */
struct embedded {
	char line[EMBEDDED_LINE_MAX]; /* its beginning */
	size_t length;
	enum { EMBEDDED_NONE, EMBEDDED_EXPECTED, EMBEDDED_OPEN } state; /* of a uuencoded file */
	struct ph_mime_attachment file;                                 /* uuencoded, that is open */
	/* Is told of each file found, the name valid only then; false: enough. */
	bool (*found)(void *arg, const struct ph_mime_attachment *file);
	void *arg;
	char name[EMBEDDED_LINE_MAX];
};

void embedded_feed(struct embedded *embedded, struct ph_str piece);
void embedded_finish(struct embedded *embedded);

#endif
