/* What the server adds to messages: missing fields of submitted ones, and what policies ask for. */
#ifndef SMTP_COMPLETE_H
#define SMTP_COMPLETE_H

#include <stdbool.h>

#include <posthorn/buf.h>
#include <posthorn/mime.h>
#include <posthorn/verdict.h>

/* The Received fields of the message, this server's own among them. */
unsigned count_received(const struct ph_mime_message *message);
/* Adds the Date and Message-ID that a submitted message lacks (RFC 6409, 8). */
void add_missing_fields(const struct ph_mime_message *message, struct ph_buf *lines);
/* Adds the fields of add_header; false when one is no header field. */
bool add_policy_fields(const struct ph_verdict *verdict, struct ph_buf *lines);

#endif
