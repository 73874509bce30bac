#ifndef MIME_SEARCH_H
#define MIME_SEARCH_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
struct ph_mime_search *search_new(struct ph_str needle);
bool search_feed(struct ph_mime_search *search, struct ph_str piece);
void search_reset(struct ph_mime_search *search);
void search_free(struct ph_mime_search **search);
bool text_contains(struct ph_str text, struct ph_str needle);
int message_contains(const struct ph_mime_message *message, const struct ph_mime_source *source,
	struct ph_str needle, bool headers);

#endif
