#ifndef MIME_PARSE_H
#define MIME_PARSE_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
struct ph_mime_parser *parser_new(const struct ph_mime_limits *limits);
void parser_feed(struct ph_mime_parser *parser, struct ph_str piece);
const struct ph_mime_message *parser_finish(struct ph_mime_parser *parser);
void parser_free(struct ph_mime_parser **parser);

#endif
