/* Work for a kv provider whose every state can be checked: several workers store and delete blobs of many
 * sizes, each in its own order, and each blob is told by two partitions at once. */
#ifndef CRASH_WORK_H
#define CRASH_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/kv.h>

/* As many as make a group that is written while it gathers. */
#define WORKERS 20

/* How many steps of each worker were begun, and were durable, at some moment. */
struct work_progress {
	unsigned begun[WORKERS], durable[WORKERS];
};

/* May park: each worker does so many steps more. An update that fails is tried again a few times, where
 * `may_fail`. Returns how many failed. */
unsigned work_run(const struct ph_kv_service *kv, unsigned steps, bool may_fail);
/* Calls noted() when a step begins, and when it is durable. */
void work_on_progress(void (*noted)(void));
void work_reset(void);
struct work_progress work_progress(void);
/* May park: what is stored is what the durable steps left, and of each worker perhaps the step that was begun
 * behind them, whole. */
void work_check(const struct ph_kv_service *kv, const struct work_progress *progress);

#endif
