/* Blobs. One lives as long as it has references, a draft, or somebody who has it open. */
#include <config.h>

#include "blob.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <posthorn/buf.h>
#include <posthorn/map.h>
#include <posthorn/mem.h>

#include "room.h"
#include "transaction.h"

/* As much as is shown at once, so that nobody comes to rely on all bytes lying together. */
#define VIEW_SIZE (64 * 1024)

struct ph_kv_blob {
	struct ph_list link; /* among those whose references the transaction changed */
	struct ph_kv_blob_id id;
	struct ph_buf bytes;
	uint32_t references;
	uint32_t references_before; /* the transaction */
	unsigned users;             /* its draft, and those who have it open */
};

struct ph_kv_draft {
	struct ph_kv_blob *blob;
	bool full;
};

/* Those that have references, and those that had when the transaction began. */
static struct ph_map *blobs;

void memory_blobs_open(void)
{
	blobs = ph_map_new();
}

static void blob_free(struct ph_kv_blob *blob)
{
	room_give(blob->bytes.len);
	ph_buf_free(&blob->bytes);
	free(blob);
}

void memory_blobs_close(void)
{
	struct ph_str id;
	size_t at = 0;
	void *blob;

	while (ph_map_next(blobs, &at, &id, &blob))
		blob_free(blob);
	ph_map_free(&blobs);
}

static struct ph_str id_str(const struct ph_kv_blob_id *id)
{
	return ph_str_of(id->bytes, sizeof(id->bytes));
}

/* --- references --- */

static struct ph_kv_blob *find_draft(const struct ph_kv_txn *txn, const struct ph_kv_blob_id *id)
{
	for (size_t i = 0; i < txn->draft_count; i++) {
		struct ph_kv_blob *blob = txn->drafts[i]->blob;

		if (ph_str_eq(id_str(&blob->id), id_str(id)))
			return blob;
	}
	return NULL;
}

static void set_references(struct ph_kv_txn *txn, struct ph_kv_blob *blob, uint32_t references)
{
	if (ph_list_empty(&blob->link)) {
		blob->references_before = blob->references;
		ph_list_append(&txn->blobs, &blob->link);
	}
	blob->references = references;
}

int memory_blob_add_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id)
{
	struct ph_kv_blob *blob = ph_map_get(blobs, id_str(&id));

	PH_ASSERT(txn->writable);
	if (!blob) {
		blob = find_draft(txn, &id);
		if (!blob)
			return PH_E_ABSENT;
		ph_map_put(blobs, id_str(&id), blob);
	}
	set_references(txn, blob, blob->references + 1);
	return 0;
}

int memory_blob_drop_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id)
{
	struct ph_kv_blob *blob = ph_map_get(blobs, id_str(&id));

	PH_ASSERT(txn->writable);
	if (!blob || blob->references == 0)
		return PH_E_ABSENT;
	set_references(txn, blob, blob->references - 1);
	return 0;
}

void memory_blob_settle(struct ph_kv_txn *txn, bool keep)
{
	PH_LIST_EACH (&txn->blobs, node) {
		struct ph_kv_blob *blob = ph_container_of(node, struct ph_kv_blob, link);

		ph_list_remove(node);
		if (!keep)
			blob->references = blob->references_before;
		if (blob->references > 0)
			continue;
		ph_map_remove(blobs, id_str(&blob->id));
		if (blob->users == 0)
			blob_free(blob);
	}
}

/* --- writing --- */

static struct ph_kv_blob_id make_id(void)
{
	struct ph_kv_blob_id id;
	size_t have = 0;

	while (have < sizeof(id.bytes)) {
		ssize_t got = getrandom(id.bytes + have, sizeof(id.bytes) - have, 0);

		if (got > 0)
			have += (size_t)got;
	}
	return id;
}

struct ph_kv_draft *memory_draft_new(void)
{
	struct ph_kv_draft *draft = ph_alloc(sizeof(*draft));

	draft->blob = ph_alloc(sizeof(*draft->blob));
	draft->blob->id = make_id();
	draft->blob->users = 1;
	ph_list_init(&draft->blob->link);
	ph_buf_init(&draft->blob->bytes, SIZE_MAX);
	return draft;
}

int memory_draft_write(struct ph_kv_draft *draft, struct ph_str bytes, struct ph_error *error)
{
	if (!draft->full && room_take_for_message(bytes.len)) {
		ph_buf_add_str(&draft->blob->bytes, bytes);
		return 0;
	}
	draft->full = true;
	return ph_error_set(error, PH_E_FULL, "the server has no space left", "kv_memory: `size` is used up");
}

struct ph_kv_blob_id memory_draft_id(const struct ph_kv_draft *draft)
{
	return draft->blob->id;
}

uint64_t memory_draft_size(const struct ph_kv_draft *draft)
{
	return memory_blob_size(draft->blob);
}

int memory_draft_view(
	struct ph_kv_draft *draft, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error)
{
	return memory_blob_view(draft->blob, offset, bytes_r, error);
}

void memory_draft_free(struct ph_kv_draft **draft)
{
	if (!*draft)
		return;
	memory_blob_close(&(*draft)->blob);
	free(*draft);
	*draft = NULL;
}

/* --- reading --- */

int memory_blob_open(struct ph_kv_blob_id id, struct ph_kv_blob **blob_r, struct ph_error *error)
{
	*blob_r = ph_map_get(blobs, id_str(&id));
	if (!*blob_r)
		return ph_error_set(error, PH_E_ABSENT, "the message is gone", NULL);
	(*blob_r)->users++;
	return 0;
}

uint64_t memory_blob_size(const struct ph_kv_blob *blob)
{
	return blob->bytes.len;
}

int memory_blob_view(struct ph_kv_blob *blob, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error)
{
	size_t from = offset < blob->bytes.len ? (size_t)offset : blob->bytes.len;

	(void)error;
	*bytes_r = ph_str_slice(ph_buf_str(&blob->bytes), from, from + VIEW_SIZE);
	return 0;
}

void memory_blob_close(struct ph_kv_blob **blob)
{
	if (*blob && --(*blob)->users == 0 && (*blob)->references == 0)
		blob_free(*blob);
	*blob = NULL;
}
