/* Work that would hold up the loop (password hashes, name services) on a pool of threads. The function runs
 * on another thread: it may touch only what `arg` gives it, and calls nothing of Posthorn but mem.h, str.h
 * and buf.h. */
#ifndef POSTHORN_OFFLOAD_H
#define POSTHORN_OFFLOAD_H

#include <posthorn/fiber.h>

/* May park: until work(arg) has run. PH_E_LIMIT, and nothing run, when too many jobs wait already. There is
 * no deadline: what `arg` points to lies on the caller's stack, so the caller must stay. */
int ph_offload(void (*work)(void *arg), void *arg);

#endif
