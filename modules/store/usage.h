/* What an account's mail takes, and what it may take. See usage.c for how the sums stay right. */
#ifndef STORE_USAGE_H
#define STORE_USAGE_H

#include <stdint.h>

#include "record.h"
#include "store.h"

int account_quota(struct ph_actor actor, ph_account_id id, struct ph_quota *quota_r, struct ph_error *error);
int account_set_quota(struct ph_actor actor, ph_account_id id, const struct ph_quota_limits *limits,
	struct ph_error *error);

/* --- inside a transaction with the account's partition --- */

/* PH_E_QUOTA when that much more is too much. */
int usage_check(struct ph_kv_txn *txn, size_t partition, const struct usage *more);
/* Nothing happens to an account that is being removed. */
int usage_add(struct ph_kv_txn *txn, size_t partition, const struct usage *more);

/* What is stored: all its mail, as it was counted. */
int usage_get(struct ph_kv_txn *txn, size_t partition, struct usage *used_r);
int usage_put(struct ph_kv_txn *txn, size_t partition, const struct usage *used);

/* --- outside --- */

/* An update of a mailbox, which is partition 0, with its account, which is partition 1 where the kv changes
 * both together. */
int usage_update(uint64_t mailbox, ph_kv_run *run, void *arg, struct ph_error *error);
/* The number of the account's partition when there are `mailboxes` partitions before it; 0: the kv changes
 * one partition at a time. */
size_t usage_partition(size_t mailboxes);
/* Where the kv changes one partition at a time: before mail is added, with `enforce` within the quota; and
 * after mail went. Elsewhere nothing. */
int usage_reserve(ph_account_id account, const struct usage *more, bool enforce, struct ph_error *error);
/* Takes back what was reserved for mail that did not come, since its update failed with `code`; but not where
 * it may have come all the same. */
void usage_withdraw(ph_account_id account, const struct usage *reserved, int code);
void usage_release(ph_account_id account, const struct usage *less);

#endif
