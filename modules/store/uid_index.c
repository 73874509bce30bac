/* The UIDs lie in pieces of bounded size, each for a stretch of UIDs. Gone UIDs never come back, and so a
 * range of them needs one piece only, that in which it begins, though an import may leave out millions. The
 * delivery of a new message that is not \Seen writes none of this. Reading costs as many pieces as there are,
 * and as many ranges as there are runs of messages. */
#include <config.h>

#include "uid_index.h"

#include <string.h>

#include <posthorn/buf.h>

#include "store.h"
#include "uid_set.h"

/* UIDs of a piece, which takes up to a kilobyte: when it is every second one. */
#define PIECE 1024

static struct ph_str piece_key(struct key *key, enum uid_index index, uint32_t uid)
{
	return key_32(key, (char)index, uid / PIECE);
}

static int read_piece(
	struct ph_kv_txn *txn, size_t partition, enum uid_index index, uint32_t uid, struct ph_uid_set *set)
{
	struct ph_str value;
	struct key key;
	int result = store.kv->get(txn, partition, piece_key(&key, index, uid), &value);

	if (result == PH_E_ABSENT)
		return 0;
	return result < 0 ? result : uid_set_decode(value, set);
}

static int write_piece(struct ph_kv_txn *txn, size_t partition, enum uid_index index, uint32_t uid,
	const struct ph_uid_set *set)
{
	struct ph_buf buf;
	struct key key;
	int result;

	if (set->count == 0)
		return store.kv->del(txn, partition, piece_key(&key, index, uid));
	ph_buf_init(&buf, SIZE_MAX);
	uid_set_encode(set, &buf);
	result = store.kv->put(txn, partition, piece_key(&key, index, uid), ph_buf_str(&buf));
	ph_buf_free(&buf);
	return result;
}

/* What cannot be read is left to be repaired: it must not keep messages from changing. */
static int change_piece(struct ph_kv_txn *txn, size_t partition, enum uid_index index, uint32_t uid,
	const struct ph_uid_set *some, bool remove)
{
	struct ph_uid_set before = { 0 }, after = { 0 };
	int result = read_piece(txn, partition, index, uid, &before);

	uid_set_add_rest(&after, &before, some);
	if (!remove)
		uid_set_add_all(&after, some);
	if (result == 0)
		result = write_piece(txn, partition, index, uid, &after);
	uid_set_free(&before);
	uid_set_free(&after);
	return result == PH_E_CORRUPT ? 0 : result;
}

/* The last UID that lies in the same piece as `first`. */
static uint32_t piece_end(enum uid_index index, uint32_t first, uint32_t last)
{
	uint32_t end = first | (PIECE - 1);

	return index == INDEX_GONE || last < end ? last : end;
}

/* Takes those of the set from *next on that lie in one piece. */
static void take_piece(
	enum uid_index index, const struct ph_uid_set *uids, uint32_t *next, struct ph_uid_set *some)
{
	uint32_t piece = *next / PIECE;

	for (size_t at = uid_set_find(uids, *next); at < uids->count; at++) {
		uint32_t first = uids->ranges[at].first > *next ? uids->ranges[at].first : *next;
		uint32_t end = piece_end(index, first, uids->ranges[at].last);

		if (first / PIECE != piece)
			return;
		uid_set_add(some, first, end);
		*next = end + 1;
		if (end < uids->ranges[at].last)
			return;
	}
}

static int change_pieces(struct ph_kv_txn *txn, size_t partition, enum uid_index index,
	const struct ph_uid_set *uids, bool remove)
{
	uint32_t next = 1;
	int result = 0;

	while (result == 0 && uid_set_next(uids, next, &next)) {
		struct ph_uid_set some = { 0 };
		uint32_t first = next;

		take_piece(index, uids, &next, &some);
		result = change_piece(txn, partition, index, first, &some, remove);
		uid_set_free(&some);
	}
	return result;
}

int uid_index_change(
	struct ph_kv_txn *txn, size_t partition, enum uid_index index, const struct uid_index_change *change)
{
	int result = change_pieces(txn, partition, index, &change->added, false);

	return result < 0 ? result : change_pieces(txn, partition, index, &change->removed, true);
}

/* How many there must be. */
static uint64_t expected_count(enum uid_index index, const struct meta *meta)
{
	switch (index) {
	case INDEX_GONE:
		return (uint64_t)meta->uid_next - 1 - meta->messages;
	case INDEX_SEEN:
		return (uint64_t)meta->messages - meta->unseen;
	case INDEX_DELETED:
		break;
	}
	return meta->deleted;
}

int uid_index_read(struct ph_kv_txn *txn, size_t partition, enum uid_index index, const struct meta *meta,
	struct ph_uid_set *uids)
{
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, partition);
	struct ph_str key, value;
	struct key first;
	int result = store.kv->seek(cursor, key_plain(&first, (char)index), &key, &value);

	while (result == 0 && key.data[0] == (char)index) {
		result = uid_set_decode(value, uids);
		if (result == 0)
			result = store.kv->next(cursor, &key, &value);
	}
	if (result < 0 && result != PH_E_ABSENT)
		return result;
	if (uids->count > 0 && uids->ranges[uids->count - 1].last >= meta->uid_next)
		return PH_E_CORRUPT;
	return uid_set_count(uids) == expected_count(index, meta) ? 0 : PH_E_CORRUPT;
}

int uid_index_write(
	struct ph_kv_txn *txn, size_t partition, enum uid_index index, const struct ph_uid_set *uids)
{
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, partition);
	struct ph_str found, value;
	struct key key;
	int result;

	while ((result = store.kv->seek(cursor, key_plain(&key, (char)index), &found, &value)) == 0 &&
		found.data[0] == (char)index) {
		memcpy(key.bytes, found.data, found.len);
		result = store.kv->del(txn, partition, ph_str_of(key.bytes, found.len));
		if (result < 0)
			return result;
	}
	if (result < 0 && result != PH_E_ABSENT)
		return result;
	return change_pieces(txn, partition, index, uids, false);
}
