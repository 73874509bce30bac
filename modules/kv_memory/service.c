/* The service's table, and its begin and end. */
#include <config.h>

#include "kv_memory.h"

#include "blob.h"
#include "partition.h"
#include "room.h"
#include "transaction.h"
#include "watch.h"

struct ph_kv_service kv_memory_service = {
	.update = transaction_update,
	.read = transaction_read,
	.get = transaction_get,
	.put = transaction_put,
	.del = transaction_del,
	.cursor = transaction_cursor,
	.seek = transaction_seek,
	.seek_last = transaction_seek_last,
	.next = transaction_next,
	.blob_add_reference = blob_add_reference,
	.blob_drop_reference = blob_drop_reference,
	.draft_new = draft_new,
	.draft_write = draft_write,
	.draft_id = draft_id,
	.draft_size = draft_size,
	.draft_view = draft_view,
	.draft_free = draft_free,
	.blob_open = blob_open,
	.blob_size = blob_size,
	.blob_view = blob_view,
	.blob_close = blob_close,
	.watch = watch_add,
	.unwatch = watch_remove,
};

void kv_memory_open(const struct kv_memory_config *config)
{
	kv_memory_service.atomic_partitions = config->atomic_partitions;
	room_set((size_t)config->size);
	partitions_open();
	blobs_open();
	watches_open();
}

void kv_memory_close(void)
{
	blobs_close();
	partitions_close();
}
