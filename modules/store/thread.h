/* Which messages of an account belong together: THREADID (RFC 8474, 5.2). See thread.c for how. */
#ifndef STORE_THREAD_H
#define STORE_THREAD_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"
#include "store.h"

/* With the kv started. May park. */
int thread_open(struct ph_error *error);

/* What a message brings with it: its keys, and the id that its thread gets unless it joins one. May park. 0,
 * or what the kv failed with. */
int thread_of(const struct ph_mime_message *message, struct ph_kv_blob_id blob, struct thread *thread_r,
	struct ph_error *error);

/* --- inside an update with the account's partition; nothing happens in an account that is being removed, nor
 * to what was stored before there were threads --- */

/* A message comes: its keys are counted. With `keep` it has its thread already, else it gets that of the
 * first of its keys that the account knows. */
int thread_join(struct ph_kv_txn *txn, size_t partition, struct thread *thread, bool keep);
/* A message went. */
int thread_leave(struct ph_kv_txn *txn, size_t partition, const struct thread *thread);

/* What stands at a key. PH_E_ABSENT, also when it cannot be read. */
int thread_entry_get(struct ph_kv_txn *txn, size_t partition, uint64_t key, struct thread_entry *entry_r);
/* With no messages it goes. */
int thread_entry_put(struct ph_kv_txn *txn, size_t partition, uint64_t key, const struct thread_entry *entry);

/* --- where the kv changes one partition at a time; elsewhere these do nothing --- */

struct thread_list {
	struct thread *items;
	size_t count, capacity;
};

void thread_list_add(struct thread_list *list, const struct thread *thread);
void thread_list_free(struct thread_list *list);
/* Before the messages come. May park. */
int threads_join(ph_account_id account, struct thread_list *list, bool keep, struct ph_error *error);
/* When they did not come, since their update ended with `code`; but not where they may have come all the
 * same. May park. */
void threads_withdraw(ph_account_id account, struct thread_list *list, int code);
/* After they went. May park. */
void threads_leave(ph_account_id account, struct thread_list *list);

#endif
