/* Updates that wait to be committed, and how a group of them comes together. A group begins with whoever is
 * there. Those whom the last one woke mostly come again at once: they are waited for, for a fraction of the
 * time that the last flush took, else two halves would take turns. A single writer waits for nobody. */
#ifndef KV_LMDB_QUEUE_H
#define KV_LMDB_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/fiber.h>
#include <posthorn/kv.h>
#include <posthorn/list.h>

#include "transaction.h"

struct update {
	struct ph_list link;
	struct ph_kv_txn txn;
	ph_kv_run *run;
	void *arg;
	uint64_t bytes;
	int result;
	int failure; /* LMDB's, behind `result`, or 0 */
	bool changed;
	struct ph_wait wait;
	bool from_thread, finished;
};

/* What one group may hold: updates, and bytes of drafts. */
void queue_start(size_t group_updates, uint64_t group_bytes);
void queue_free(void);

/* For a fiber: the update, whose `wait` was begun, is in queue_take_finished() some time later. */
void queue_add(struct update *update);
/* For another thread: returns when it is finished. */
void queue_add_and_block(struct update *update);
/* No more will come: the committer ends when all that wait are done. */
void queue_end(void);
void queue_take_finished(struct ph_list *done);

/* --- for the committer --- */

/* Waits for work and takes as much as there is. False: this is the end. */
bool queue_take_group(struct ph_list *group);
/* Are there others to wait for? The group can take bytes up to `room`. */
bool queue_is_gathering(uint64_t room);
/* Waits for some more of them. */
void queue_take_more(struct ph_list *joined);
/* The group is complete: nobody joins it any more. */
void queue_gathered(void);
/* Hands the updates to those who wait for them. */
void queue_finish(struct ph_list *group);

static inline void queue_move_all(struct ph_list *from, struct ph_list *to)
{
	PH_LIST_EACH (from, node) {
		ph_list_remove(node);
		ph_list_append(to, node);
	}
}

#endif
