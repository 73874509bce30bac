/* An open mailbox of one session: its view, and what it was not told yet. */
#ifndef STORE_SESSION_H
#define STORE_SESSION_H

#include "record.h"
#include "store.h"
#include "view.h"

struct ph_mailbox {
	uint64_t number;
	bool read_only;
	bool gone;
	struct meta meta; /* as of the view */
	struct view view;
	struct ph_uid_set expunged; /* in the view still: the session may not be told yet */
	struct ph_uid_set recent;   /* \Recent in this session; may hold UIDs that are not in the view */
	struct ph_pool *pool;       /* of keywords; NULL while there are none */
	struct ph_str *keywords;
	size_t keyword_count, keyword_capacity;
	struct ph_kv_watch *watch;
};

int mailbox_open(struct ph_actor actor, ph_account_id account, struct ph_str name, bool read_only,
	struct ph_mailbox **mailbox_r, struct ph_error *error);
void mailbox_close(struct ph_mailbox **mailbox);
int mailbox_refresh(struct ph_mailbox *mailbox, bool expunges, struct ph_pool *pool,
	struct ph_mailbox_news *news_r, struct ph_error *error);
void mailbox_view_status(const struct ph_mailbox *mailbox, struct ph_mailbox_status *status_r);
void mailbox_keywords(const struct ph_mailbox *mailbox, const struct ph_str **keywords_r, size_t *count_r);
int mailbox_changes(struct ph_mailbox *mailbox, uint64_t modseq, struct ph_mailbox_changes *changes_r,
	struct ph_error *error);
void mailbox_watch(struct ph_mailbox *mailbox, void (*changed)(void *arg), void *arg);

struct ph_message_iterator *messages_begin(
	struct ph_mailbox *mailbox, const struct ph_uid_set *uids, unsigned parts);
bool messages_next(struct ph_message_iterator *iterator, const struct ph_message **message_r);
int messages_flagged(struct ph_mailbox *mailbox, enum ph_flag flag, bool set, struct ph_uid_set *uids,
	struct ph_error *error);
int messages_end(struct ph_message_iterator **iterator, struct ph_error *error);

#endif
