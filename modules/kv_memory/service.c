/* The service's table, and its begin and end. */
#include <config.h>

#include "kv_memory.h"

#include "blob.h"
#include "partition.h"
#include "room.h"
#include "transaction.h"
#include "watch.h"

struct ph_kv_service kv_memory_service = {
	.update = memory_update,
	.read = memory_read,
	.get = memory_get,
	.put = memory_put,
	.del = memory_del,
	.cursor = memory_cursor,
	.seek = memory_seek,
	.seek_last = memory_seek_last,
	.next = memory_next,
	.blob_add_reference = memory_blob_add_reference,
	.blob_drop_reference = memory_blob_drop_reference,
	.draft_new = memory_draft_new,
	.draft_write = memory_draft_write,
	.draft_id = memory_draft_id,
	.draft_size = memory_draft_size,
	.draft_view = memory_draft_view,
	.draft_free = memory_draft_free,
	.blob_open = memory_blob_open,
	.blob_size = memory_blob_size,
	.blob_view = memory_blob_view,
	.blob_close = memory_blob_close,
	.watch = memory_watch_add,
	.unwatch = memory_watch_remove,
};

void kv_memory_open(const struct kv_memory_config *config)
{
	kv_memory_service.atomic_partitions = config->atomic_partitions;
	room_set((size_t)config->size);
	partitions_open();
	memory_blobs_open();
	memory_watches_open();
}

void kv_memory_close(void)
{
	memory_blobs_close();
	partitions_close();
}
