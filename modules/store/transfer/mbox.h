/* Mailboxes as one file each: "From " lines part the messages, lines that look like them carry one ">" more
 * (mboxrd); what a mailbox knows of a message stands in fields of its header. */
#ifndef STORE_MBOX_H
#define STORE_MBOX_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/str.h>

/* A line "From SENDER Thu Jan  1 00:00:01 2015"; its date in UTC. */
bool mbox_from_line(struct ph_str line, int64_t *date_r);
/* Does the line begin with any number of ">", and "From " behind them? */
bool mbox_is_from(struct ph_str line);

#endif
