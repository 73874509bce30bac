/* The service "kv/1": where bytes live. Ordered keys and values in partitions, and blobs. What they mean is
 * the store's business.
 *
 *   partition  a unit of atomic change: one mailbox, one account's directory, one slice of a queue
 *   update     a function that reads and writes keys of its partitions, as one transaction
 *   blob       immutable bytes (a message), written once, named by an id, shared by counted references
 *
 * One set of tests (tests/contract) holds every provider to this. */
#ifndef POSTHORN_KV_H
#define POSTHORN_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/error.h>
#include <posthorn/str.h>

#define PH_KV_SERVICE "kv/1"
/* Bytes in a key. Values may be up to 16 MB, and are meant to be small. */
#define PH_KV_KEY_MAX 480

struct ph_kv_partition {
	uint8_t kind; /* the caller's name for a family of partitions */
	uint64_t number;
};

struct ph_kv_blob_id {
	uint8_t bytes[16]; /* unique, and not to be guessed */
};

struct ph_kv_txn;
struct ph_kv_cursor;
struct ph_kv_draft;
struct ph_kv_blob;
struct ph_kv_watch;

/* The function of an update or a read. It touches only `txn` and what `arg` gives it, may be run more than
 * once (it begins anew each time), and never parks: an update's may run on another thread, so it allocates
 * with mem.h and calls nothing else of the core. 0 commits; a negative code changes nothing and is handed to
 * the caller. When a call inside it fails otherwise than with PH_E_ABSENT, the update or read fails with that
 * code, whatever the function gives. */
typedef int ph_kv_run(struct ph_kv_txn *txn, void *arg);

struct ph_kv_service {
	/* Can one update change several partitions together? Where not, `count` is 1. */
	bool atomic_partitions;

	/* May park: until the changes, and the blobs of `drafts` that `run` took references of, are durable.
	 * 0; the code that `run` gave, PH_E_FULL or PH_E_IO: then nothing was changed; PH_E_UNAVAILABLE: then
	 * nothing was, or all of it, where a provider lost touch with what keeps the data.
	 * Several waiting updates may be made durable together. */
	int (*update)(const struct ph_kv_partition *partitions, size_t count,
		struct ph_kv_draft *const *drafts, size_t draft_count, ph_kv_run *run, void *arg,
		struct ph_error *error);
	/* May park: runs `run` on a snapshot of the partitions; it must not write. Sees all updates that
	 * ended before. Keep it short: copy out what is wanted. */
	int (*read)(const struct ph_kv_partition *partitions, size_t count, ph_kv_run *run, void *arg,
		struct ph_error *error);

	/* --- inside `run`. `partition` is an index into `partitions`. Values and keys that are shown stay
	 * valid until the next put, del or the end of `run`. --- */

	/* 0, or PH_E_ABSENT. */
	int (*get)(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str *value_r);
	int (*put)(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str value);
	/* Deleting what is not there is 0. */
	int (*del)(struct ph_kv_txn *txn, size_t partition, struct ph_str key);
	/* A cursor lives until `run` ends. seek: the first key not below `key` (seek_last: the last key not
	 * above it); next: the one behind it. 0, or PH_E_ABSENT at the end of the partition. A cursor
	 * must be placed anew after a put or del in its partition. */
	struct ph_kv_cursor *(*cursor)(struct ph_kv_txn *txn, size_t partition);
	int (*seek)(
		struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r);
	int (*seek_last)(
		struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r);
	int (*next)(struct ph_kv_cursor *cursor, struct ph_str *key_r, struct ph_str *value_r);
	/* Counted references. A draft has none until its first; a blob whose last reference went is deleted,
	 * now or later. */
	int (*blob_add_reference)(struct ph_kv_txn *txn, struct ph_kv_blob_id id);
	int (*blob_drop_reference)(struct ph_kv_txn *txn, struct ph_kv_blob_id id);

	/* --- writing a blob: the bytes wait, in memory or in a file without a name, until an update takes
	 * them --- */

	/* Never fails; a failure shows in draft_write. */
	struct ph_kv_draft *(*draft_new)(void);
	/* May park. 0, PH_E_FULL or PH_E_IO. */
	int (*draft_write)(struct ph_kv_draft *draft, struct ph_str bytes, struct ph_error *error);
	struct ph_kv_blob_id (*draft_id)(const struct ph_kv_draft *draft);
	uint64_t (*draft_size)(const struct ph_kv_draft *draft);
	/* May park: as blob_view, of what was written so far. */
	int (*draft_view)(
		struct ph_kv_draft *draft, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error);
	/* Frees the draft and clears the pointer. A blob that got a reference lives on. */
	void (*draft_free)(struct ph_kv_draft **draft);

	/* --- reading a blob. No snapshot is held between calls; an open blob stays readable until it is
	 * closed, also when its last reference goes meanwhile. --- */

	/* May park. 0, PH_E_ABSENT, PH_E_CORRUPT or PH_E_IO. */
	int (*blob_open)(struct ph_kv_blob_id id, struct ph_kv_blob **blob_r, struct ph_error *error);
	uint64_t (*blob_size)(const struct ph_kv_blob *blob);
	/* May park. Shows the bytes from `offset` on, as many as lie together (at least one; an empty string
	 * only at the end), valid until the next view of this blob or its close. */
	int (*blob_view)(
		struct ph_kv_blob *blob, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error);
	void (*blob_close)(struct ph_kv_blob **blob);

	/* Calls changed(arg) from the loop after updates of the partition by anybody, in this worker or
	 * another. A hint: several updates may give one call, and a call may come without a change. */
	struct ph_kv_watch *(*watch)(struct ph_kv_partition partition, void (*changed)(void *arg), void *arg);
	void (*unwatch)(struct ph_kv_watch **watch);
};

#endif
