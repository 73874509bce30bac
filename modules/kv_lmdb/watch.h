/* Who wants to know of changes: in this worker, and through the bus in the others. */
#ifndef KV_LMDB_WATCH_H
#define KV_LMDB_WATCH_H

#include <posthorn/kv.h>

void watch_start(void);
void watch_stop(void);

struct ph_kv_watch *watch_add(struct ph_kv_partition partition, void (*changed)(void *arg), void *arg);
void watch_remove(struct ph_kv_watch **watch);

/* An update of this process changed the partition; told to all with the next watch_tell(). */
void watch_changed(struct ph_kv_partition partition);
void watch_tell(void);

#endif
