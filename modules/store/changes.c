/* What changed in a mailbox since a modseq (RFC 7162).
 *
 * Flags that changed and messages that went stand in the log. New messages do not, but they are the last
 * ones: going back from the end until the first message whose modseq is not above meets them all, and besides
 * them only messages that changed as well. So the cost is that of the answer. Before the log's beginning all
 * messages are looked at, and what is not there is told as gone. */
#include <config.h>

#include <posthorn/bytes.h>
#include <posthorn/fiber.h>

#include "change.h"
#include "session.h"
#include "uid_set.h"

/* Messages looked at in one transaction. */
#define STEP 2000

struct finding {
	const struct ph_mailbox *mailbox;
	uint64_t modseq;
	bool exact;
	bool more;
	uint32_t next; /* the UID to go on with, downwards */
	struct ph_uid_set changed, vanished;
};

static int find_logged(struct ph_kv_txn *txn, void *arg)
{
	struct finding *finding = arg;
	struct meta meta;
	int result = meta_get(txn, 0, &meta);

	if (result < 0)
		return result;
	finding->exact = finding->modseq >= meta.log_from;
	finding->more = finding->modseq < meta.highest_modseq;
	finding->next = meta.uid_next - 1;
	return finding->exact ? read_log(txn, 0, finding->modseq, &finding->changed, &finding->vanished) : 0;
}

/* PH_E_ABSENT at the beginning of the mailbox. */
static int previous_message(
	struct ph_kv_cursor *cursor, uint32_t from, uint32_t *uid_r, struct message_record *record_r)
{
	struct ph_str key, value;
	struct key wanted;
	int result = store.kv->seek_last(cursor, key_32(&wanted, 'u', from), &key, &value);

	if (result < 0)
		return result;
	if (key.len != 5 || key.data[0] != 'u')
		return PH_E_ABSENT;
	*uid_r = ph_bytes_get32(key.data + 1);
	return message_record_decode(value, record_r);
}

static int find_stored(struct ph_kv_txn *txn, void *arg)
{
	struct finding *finding = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct message_record record;
	uint32_t uid;

	for (int i = 0; i < STEP && finding->more; i++) {
		int result = previous_message(cursor, finding->next, &uid, &record);

		if (result == PH_E_ABSENT)
			finding->more = false;
		if (result < 0)
			return result == PH_E_ABSENT ? 0 : result;
		if (record.modseq > finding->modseq)
			uid_set_add(&finding->changed, uid, uid);
		else if (finding->exact)
			finding->more = false;
		finding->next = uid - 1;
	}
	return 0;
}

/* As far as the session knows the mailbox: what it was not told of yet, it will be. */
static void answer(const struct finding *finding, struct ph_mailbox_changes *changes_r)
{
	const struct ph_mailbox *mailbox = finding->mailbox;
	struct ph_uid_set known = { 0 }, all = { 0 };

	uid_set_add_common(&known, &finding->changed, &mailbox->view.uids);
	uid_set_add_rest(&changes_r->changed, &known, &finding->vanished);
	if (!finding->exact && mailbox->meta.uid_next > 1)
		uid_set_add(&all, 1, mailbox->meta.uid_next - 1);
	uid_set_add_rest(
		&changes_r->vanished, finding->exact ? &finding->vanished : &all, &mailbox->view.uids);
	changes_r->exact = finding->exact;
	uid_set_free(&known);
	uid_set_free(&all);
}

int mailbox_changes(struct ph_mailbox *mailbox, uint64_t modseq, struct ph_mailbox_changes *changes_r,
	struct ph_error *error)
{
	struct finding finding = { .mailbox = mailbox, .modseq = modseq };
	struct ph_kv_partition partition = mailbox_partition(mailbox->number);
	int result = store_read(partition, find_logged, &finding, error);

	*changes_r = (struct ph_mailbox_changes){ 0 };
	while (result == 0 && finding.more) {
		result = store_read(partition, find_stored, &finding, error);
		ph_fiber_yield();
	}
	if (result == 0)
		answer(&finding, changes_r);
	uid_set_free(&finding.changed);
	uid_set_free(&finding.vanished);
	return store_explain(result, "mailbox", error);
}
