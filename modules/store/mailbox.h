/* The mailboxes of an account, by name. */
#ifndef STORE_MAILBOX_H
#define STORE_MAILBOX_H

#include "name.h"
#include "record.h"
#include "store.h"

/* Mailboxes are numbered within their account, and never twice. */
static inline ph_account_id mailbox_account(uint64_t mailbox)
{
	return mailbox >> 32;
}

/* Finds a mailbox by the name a client gives. PH_E_ABSENT also without the right, or with an impossible name.
 */
int mailbox_find(struct ph_actor actor, ph_account_id account, struct ph_str name,
	struct mailbox_record *record_r, struct ph_error *error);

int mailbox_list(struct ph_actor actor, ph_account_id account, struct ph_pool *pool,
	struct ph_mailbox_entry **entries_r, size_t *count_r, struct ph_error *error);
int mailbox_create(struct ph_actor actor, ph_account_id account, struct ph_str name, unsigned special_use,
	struct ph_error *error);
int mailbox_delete(struct ph_actor actor, ph_account_id account, struct ph_str name, struct ph_error *error);
int mailbox_rename(struct ph_actor actor, ph_account_id account, struct ph_str from, struct ph_str to,
	struct ph_error *error);
int mailbox_subscribe(struct ph_actor actor, ph_account_id account, struct ph_str name, bool subscribed,
	struct ph_error *error);
int mailbox_status(struct ph_actor actor, ph_account_id account, struct ph_str name,
	struct ph_mailbox_status *status_r, struct ph_error *error);

/* What the meta record of a mailbox says, as a status. */
void mailbox_status_fill(uint64_t number, const struct meta *meta, struct ph_mailbox_status *status_r);

/* --- inside a transaction on the account's partition, which is the first --- */

/* PH_E_ABSENT when there is none of exactly this name. The record's name is a view. */
int mailbox_record_get(struct ph_kv_txn *txn, struct ph_str name, struct mailbox_record *record_r);
int mailbox_record_put(struct ph_kv_txn *txn, const struct mailbox_record *record);

#endif
