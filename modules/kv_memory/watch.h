/* Who wants to know of changes. */
#ifndef KV_MEMORY_WATCH_H
#define KV_MEMORY_WATCH_H

#include <posthorn/kv.h>

struct partition;

void watches_open(void);

struct ph_kv_watch *watch_add(struct ph_kv_partition partition, void (*changed)(void *arg), void *arg);
void watch_remove(struct ph_kv_watch **watch);
/* They are called soon, from the loop. */
void watch_changed(struct partition *partition);

#endif
