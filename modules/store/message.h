/* Messages: new ones, copies, and what changes on them. Mailboxes are told by number here. */
#ifndef STORE_MESSAGE_H
#define STORE_MESSAGE_H

#include "change.h"
#include "store.h"

/* A value's bound. A message whose summary would be larger is stored with an empty one, and parsed again when
 * it is read. */
#define SUMMARY_MAX (12 * 1024 * 1024)

struct ph_draft *draft_new(void);
int draft_write(struct ph_draft *draft, struct ph_str bytes, struct ph_error *error);
uint64_t draft_size(const struct ph_draft *draft);
int draft_finish(struct ph_draft *draft, const struct ph_mime_message **message_r, struct ph_error *error);
int draft_view(struct ph_draft *draft, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error);
struct ph_mime_source draft_source(struct ph_draft *draft);
void draft_free(struct ph_draft **draft);
/* Of a finished draft. */
struct ph_kv_draft *draft_blob(const struct ph_draft *draft);
struct ph_str draft_summary(const struct ph_draft *draft);
const struct thread *draft_thread(const struct ph_draft *draft);

int store_deliver(struct ph_actor actor, struct ph_draft *draft, int64_t internal_date, int32_t internal_zone,
	struct ph_destination *destinations, size_t count, struct ph_error *error);

/* From one mailbox to another, as of ph_store_service.messages_copy. */
struct copying {
	uint64_t source;
	uint64_t target;
	const struct ph_uid_set *uids;
	bool move;
};
/* *copied_r is set, not added to; it is to be freed also after a failure. */
int copy_messages(const struct copying *copying, struct ph_copied *copied_r, struct ph_error *error);

/* As of ph_store_service.messages_flag and .messages_expunge. What is told is added to the sets. */
int flag_messages(uint64_t mailbox, const struct ph_uid_set *uids, enum ph_flag_operation operation,
	const struct ph_flag_list *flags, uint64_t unchanged_since, struct ph_uid_set *modified_r,
	struct ph_error *error);
int expunge_messages(uint64_t mailbox, const struct ph_uid_set *uids, bool any, struct ph_uid_set *expunged_r,
	struct ph_error *error);

#endif
