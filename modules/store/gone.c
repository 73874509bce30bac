/* The UIDs that are gone lie in pieces of bounded size: each holds the ranges that begin in its stretch of
 * UIDs. A UID goes only once, so that ranges never overlap, and one that reaches beyond its stretch, as an
 * import may leave it, needs one piece only. A delivery writes none of this. A view costs as many pieces as
 * messages went from, and as many ranges as there are runs of messages. */
#include <config.h>

#include "gone.h"

#include <posthorn/buf.h>

#include "store.h"
#include "uid_set.h"

/* UIDs of a piece, which takes up to a kilobyte: every second message went. */
#define PIECE 1024

static struct ph_str piece_key(struct key *key, uint32_t uid)
{
	return key_32(key, 'g', uid / PIECE);
}

static int read_piece(struct ph_kv_txn *txn, size_t partition, uint32_t uid, struct ph_uid_set *set)
{
	struct ph_str value;
	struct key key;
	int result = store.kv->get(txn, partition, piece_key(&key, uid), &value);

	if (result == PH_E_ABSENT)
		return 0;
	return result < 0 ? result : uid_set_decode(value, set);
}

static int write_piece(struct ph_kv_txn *txn, size_t partition, uint32_t uid, const struct ph_uid_set *set)
{
	struct ph_buf buf;
	struct key key;
	int result;

	ph_buf_init(&buf, SIZE_MAX);
	uid_set_encode(set, &buf);
	result = store.kv->put(txn, partition, piece_key(&key, uid), ph_buf_str(&buf));
	ph_buf_free(&buf);
	return result;
}

/* The ranges from *at on that begin in the same piece. What cannot be read is left to be repaired: it must
 * not keep messages from going. */
static int add_to_piece(struct ph_kv_txn *txn, size_t partition, const struct ph_uid_set *uids, size_t *at)
{
	uint32_t first = uids->ranges[*at].first;
	struct ph_uid_set set = { 0 };
	int result = read_piece(txn, partition, first, &set);

	for (; *at < uids->count && uids->ranges[*at].first / PIECE == first / PIECE; ++*at)
		uid_set_add(&set, uids->ranges[*at].first, uids->ranges[*at].last);
	if (result == 0)
		result = write_piece(txn, partition, first, &set);
	uid_set_free(&set);
	return result == PH_E_CORRUPT ? 0 : result;
}

int gone_add(struct ph_kv_txn *txn, size_t partition, const struct ph_uid_set *uids)
{
	int result = 0;

	for (size_t at = 0; at < uids->count && result == 0;)
		result = add_to_piece(txn, partition, uids, &at);
	return result;
}

int gone_read(struct ph_kv_txn *txn, size_t partition, const struct meta *meta, struct ph_uid_set *uids)
{
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, partition);
	struct ph_str key, value;
	struct key first;
	int result = store.kv->seek(cursor, key_plain(&first, 'g'), &key, &value);

	while (result == 0 && key.data[0] == 'g') {
		result = uid_set_decode(value, uids);
		if (result == 0)
			result = store.kv->next(cursor, &key, &value);
	}
	if (result < 0 && result != PH_E_ABSENT)
		return result;
	if (uids->count > 0 && uids->ranges[uids->count - 1].last >= meta->uid_next)
		return PH_E_CORRUPT;
	return uid_set_count(uids) + meta->messages == meta->uid_next - 1 ? 0 : PH_E_CORRUPT;
}

int gone_write(struct ph_kv_txn *txn, size_t partition, const struct ph_uid_set *uids)
{
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, partition);
	struct ph_str found, value;
	struct key key;
	int result;

	while ((result = store.kv->seek(cursor, key_plain(&key, 'g'), &found, &value)) == 0 &&
		found.data[0] == 'g') {
		memcpy(key.bytes, found.data, found.len);
		result = store.kv->del(txn, partition, ph_str_of(key.bytes, found.len));
		if (result < 0)
			return result;
	}
	return result < 0 && result != PH_E_ABSENT ? result : gone_add(txn, partition, uids);
}
