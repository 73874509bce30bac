/* Who wants to know of changes: in this worker, and through the bus in the others. */
#ifndef KV_LMDB_WATCH_H
#define KV_LMDB_WATCH_H

#include <posthorn/kv.h>

void kv_watch_start(void);
void kv_watch_stop(void);

struct ph_kv_watch *kv_watch_add(struct ph_kv_partition partition, void (*changed)(void *arg), void *arg);
void kv_watch_remove(struct ph_kv_watch **watch);

/* An update of this process changed the partition; told to all with the next kv_watch_tell(). */
void kv_watch_changed(struct ph_kv_partition partition);
void kv_watch_tell(void);

#endif
