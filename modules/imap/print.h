/* Writes the grammar's terms into a buffer. Pure. */
#ifndef IMAP_PRINT_H
#define IMAP_PRINT_H

#include <stdint.h>

#include <posthorn/buf.h>
#include <posthorn/store.h>

void print_number(struct ph_buf *buf, uint64_t number);
/* An atom where that is possible, else a quoted string, else (8-bit bytes, CR, LF) a literal. */
void print_astring(struct ph_buf *buf, struct ph_str s);
/* A quoted string where that is possible, else a literal. */
void print_string(struct ph_buf *buf, struct ph_str s);
/* A mailbox's name, given in UTF-8. */
void print_mailbox(struct ph_buf *buf, struct ph_str name);
/* "(\Seen ... \Recent keyword ...)" */
void print_flags(
	struct ph_buf *buf, unsigned flags, bool recent, const struct ph_str *keywords, size_t count);
/* "1:3,5": a set is never empty. */
void print_uid_set(struct ph_buf *buf, const struct ph_uid_set *set);
/* "\Sent \Junk", each with a space before it. */
void print_special_use(struct ph_buf *buf, unsigned special_use);
/* The name of the lowest bit in `special_use`, such as "\Sent"; clears that bit. NULL when none is left. */
const char *next_special_use(unsigned *special_use);

#endif
