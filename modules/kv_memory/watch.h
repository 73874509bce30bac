/* Who wants to know of changes. */
#ifndef KV_MEMORY_WATCH_H
#define KV_MEMORY_WATCH_H

#include <posthorn/kv.h>

struct partition;

void memory_watches_open(void);

struct ph_kv_watch *memory_watch_add(struct ph_kv_partition partition, void (*changed)(void *arg), void *arg);
void memory_watch_remove(struct ph_kv_watch **watch);
/* They are called soon, from the loop. */
void memory_watch_changed(struct partition *partition);

#endif
