/* Other processes that write to the same store, and are killed while they do. */
#ifndef CONTRACT_KV_PROCESS_H
#define CONTRACT_KV_PROCESS_H

#include <stdio.h>
#include <sys/types.h>

#include <posthorn/kv.h>

struct kv_writer_process {
	pid_t pid;
	FILE *output;
	unsigned durable; /* updates 0 .. durable - 1 are confirmed */
};

/* `count` updates; 0: without end. */
void kv_writer_start(
	struct kv_writer_process *process, const char *directory, unsigned writer, unsigned count);
void kv_writer_wait(struct kv_writer_process *process);
/* It ends by itself, by abort(). */
void kv_writer_abort(struct kv_writer_process *process);
/* Kills it when it has confirmed so many. */
void kv_writer_kill(struct kv_writer_process *process, unsigned after);

/* All of the writer's updates that were confirmed are there, and of each other either all or nothing. */
void kv_check_written(const struct ph_kv_service *kv, unsigned writer, unsigned durable);

#endif
