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

/* Inside an update of the account's partition. PH_E_ABSENT: there is no such account. */
int account_counters_get(struct ph_kv_txn *txn, size_t partition, struct account_counters *counters_r);
int account_counters_put(struct ph_kv_txn *txn, size_t partition, const struct account_counters *counters);

#endif
