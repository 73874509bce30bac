/* The bytes of a message in an open mailbox: a blob that knows whose it is, so that damage can be told. */
#ifndef STORE_MESSAGE_BYTES_H
#define STORE_MESSAGE_BYTES_H

#include "session.h"
#include "store.h"

/* As of ph_store_service. */
int message_open(struct ph_mailbox *mailbox, const struct ph_message *message,
	struct ph_message_bytes **bytes_r, struct ph_error *error);
uint64_t message_size(const struct ph_message_bytes *bytes);
int message_view(
	struct ph_message_bytes *bytes, uint64_t offset, struct ph_str *part_r, struct ph_error *error);
int message_check(struct ph_message_bytes *bytes, uint64_t offset, uint64_t size, struct ph_error *error);
void message_close(struct ph_message_bytes **bytes);

#endif
