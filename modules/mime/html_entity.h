#ifndef MIME_HTML_ENTITY_H
#define MIME_HTML_ENTITY_H

#include <stdint.h>

#include <posthorn/str.h>

/* The character behind a reference, given without "&" and ";"; 0 when there is none. */
uint32_t html_entity(const char *name);

#endif
