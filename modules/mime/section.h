#ifndef MIME_SECTION_H
#define MIME_SECTION_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
int section_find(
	const struct ph_mime_message *message, struct ph_str name, struct ph_mime_section *section_r);

#endif
