/* Sorted by bytes and mailbox, so that those of the same lie together. See restore_copies.h. */
#include <config.h>

#include "restore_copies.h"

#include <stdlib.h>
#include <string.h>

#include <posthorn/mem.h>

void copies_add(struct copies *copies, struct ph_kv_blob_id blob, uint64_t mailbox)
{
	if (copies->count == copies->capacity) {
		copies->capacity = copies->capacity ? copies->capacity * 2 : 256;
		copies->items = ph_realloc_array(copies->items, copies->capacity, sizeof(*copies->items));
	}
	copies->items[copies->count++] = (struct copy){ .blob = blob, .mailbox = mailbox };
}

static int compare(const void *a, const void *b)
{
	const struct copy *first = a, *second = b;
	int order = memcmp(first->blob.bytes, second->blob.bytes, sizeof(first->blob.bytes));

	return order ? order : (first->mailbox > second->mailbox) - (first->mailbox < second->mailbox);
}

void copies_sort(struct copies *copies)
{
	if (copies->count > 0)
		qsort(copies->items, copies->count, sizeof(*copies->items), compare);
}

void copies_free(struct copies *copies)
{
	free(copies->items);
	*copies = (struct copies){ 0 };
}

/* The place of the first that is not before these. */
static size_t find(const struct copies *copies, struct ph_kv_blob_id blob, uint64_t mailbox)
{
	const struct copy wanted = { .blob = blob, .mailbox = mailbox };
	size_t low = 0, high = copies->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&copies->items[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_of(const struct copies *copies, size_t i, struct ph_kv_blob_id blob)
{
	return i < copies->count && memcmp(copies->items[i].blob.bytes, blob.bytes, sizeof(blob.bytes)) == 0;
}

static size_t count_all(const struct copies *copies, struct ph_kv_blob_id blob)
{
	size_t first = find(copies, blob, 0), end = first;

	while (is_of(copies, end, blob))
		end++;
	return end - first;
}

static size_t count_here(const struct copies *copies, struct ph_kv_blob_id blob, uint64_t mailbox)
{
	size_t first = find(copies, blob, mailbox), end = first;

	while (is_of(copies, end, blob) && copies->items[end].mailbox == mailbox)
		end++;
	return end - first;
}

bool copies_missing(const struct copies *backup, const struct copies *live, struct ph_kv_blob_id blob,
	uint64_t backup_mailbox, uint64_t live_mailbox)
{
	size_t all = find(backup, blob, 0), here = find(backup, blob, backup_mailbox);

	if (!is_of(backup, here, blob))
		return false;
	return count_all(live, blob) + backup->items[all].restored < count_all(backup, blob) &&
	       count_here(live, blob, live_mailbox) + backup->items[here].restored_here <
		       count_here(backup, blob, backup_mailbox);
}

void copies_restore(struct copies *backup, struct ph_kv_blob_id blob, uint64_t backup_mailbox)
{
	backup->items[find(backup, blob, 0)].restored++;
	backup->items[find(backup, blob, backup_mailbox)].restored_here++;
}
