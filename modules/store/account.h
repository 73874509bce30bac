/* The directory: which accounts there are. */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "record.h"
#include "store.h"

int account_create(struct ph_actor actor, struct ph_str address, struct ph_str password_hash,
	ph_account_id *id_r, struct ph_error *error);
int account_find(struct ph_actor actor, struct ph_str address, struct ph_pool *pool,
	struct ph_account *account_r, struct ph_error *error);
int account_set_password(
	struct ph_actor actor, ph_account_id id, struct ph_str password_hash, struct ph_error *error);
int account_remove(struct ph_actor actor, ph_account_id id, struct ph_error *error);
int account_list(struct ph_actor actor, struct ph_pool *pool, struct ph_account **accounts_r, size_t *count_r,
	struct ph_error *error);
int account_domain_is_local(struct ph_str domain, bool *local_r, struct ph_error *error);

/* One with no mailbox but INBOX. */
int account_create_bare(
	struct ph_str address, struct ph_str password_hash, ph_account_id *id_r, struct ph_error *error);
/* New accounts will not get the next so many numbers, nor lesser UIDVALIDITYs. */
struct account_numbers {
	uint32_t skip;
	uint32_t uid_validity;
};
int account_skip_numbers(struct account_numbers numbers, struct ph_error *error);

/* Inside a transaction on the directory, which is the first partition. `address` in lower case. 0 or
 * PH_E_ABSENT; the record's texts are views. */
int account_id_get(struct ph_kv_txn *txn, struct ph_str address, ph_account_id *id_r);
int account_record_get(struct ph_kv_txn *txn, ph_account_id id, struct account_record *record_r);

/* Inside an update of the account's partition. PH_E_ABSENT: there is no such account. */
int account_counters_get(struct ph_kv_txn *txn, size_t partition, struct account_counters *counters_r);
int account_counters_put(struct ph_kv_txn *txn, size_t partition, const struct account_counters *counters);

#endif
