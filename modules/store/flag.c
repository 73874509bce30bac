/* Flags, keywords and expunging. */
#include <config.h>

#include <string.h>

#include "keyword.h"
#include "mailbox.h"
#include "message.h"
#include "uid_set.h"
#include "usage.h"

/* Messages that one transaction expunges, so that others need not wait long. */
#define EXPUNGE_STEP 1000

struct flagging {
	const struct ph_uid_set *uids;
	enum ph_flag_operation operation;
	const struct ph_flag_list *flags;
	uint64_t unchanged_since;
	struct ph_uid_set modified;
};

/* The keywords of the message that stay: all of them, none, or those not named. */
static void keep_keywords(const struct flagging *flagging, const struct keyword_list *named,
	const struct message_record *before, struct keyword_list *list)
{
	if (flagging->operation == PH_FLAGS_REPLACE)
		return;
	for (size_t i = 0; i < before->keyword_count; i++) {
		uint16_t number = message_record_keyword(before, i);

		if (flagging->operation == PH_FLAGS_ADD || !keyword_list_has(named, number))
			keyword_list_add(list, number);
	}
}

static void new_keywords(const struct flagging *flagging, const struct keyword_list *named,
	const struct message_record *before, struct keyword_list *list)
{
	keep_keywords(flagging, named, before, list);
	if (flagging->operation == PH_FLAGS_REMOVE)
		return;
	for (size_t i = 0; i < named->count; i++)
		keyword_list_add(list, keyword_list_at(named, i));
}

static unsigned new_flags(const struct flagging *flagging, unsigned before)
{
	switch (flagging->operation) {
	case PH_FLAGS_ADD:
		return before | flagging->flags->flags;
	case PH_FLAGS_REMOVE:
		return before & ~flagging->flags->flags;
	case PH_FLAGS_REPLACE:
		break;
	}
	return flagging->flags->flags;
}

static bool same_keywords(const struct message_record *a, const struct message_record *b)
{
	return a->keyword_count == b->keyword_count &&
	       (a->keyword_count == 0 || memcmp(a->keywords, b->keywords, 2 * (size_t)a->keyword_count) == 0);
}

static int flag_one(struct change *change, const struct flagging *flagging, const struct keyword_list *named,
	uint32_t uid, const struct message_record *before)
{
	struct keyword_list list = { 0 };
	struct message_record after = *before;
	int result = 0;

	new_keywords(flagging, named, before, &list);
	after.flags = new_flags(flagging, before->flags);
	after.keywords = list.bytes;
	after.keyword_count = list.count;
	if (after.flags != before->flags || !same_keywords(before, &after))
		result = change_flags(change, uid, before, &after);
	keyword_list_free(&list);
	return result;
}

static int flag_all(struct change *change, struct flagging *flagging, const struct keyword_list *named)
{
	struct message_record record;
	uint32_t uid = 0;

	for (;;) {
		int result = change_next(change, flagging->uids, uid + 1, &uid, &record);

		if (result < 0)
			return result == PH_E_ABSENT ? 0 : result;
		if (flagging->unchanged_since && record.modseq > flagging->unchanged_since) {
			uid_set_add(&flagging->modified, uid, uid);
			continue;
		}
		result = flag_one(change, flagging, named, uid, &record);
		if (result < 0)
			return result;
	}
}

static int run_flagging(struct ph_kv_txn *txn, void *arg)
{
	struct flagging *flagging = arg;
	struct keyword_list named = { 0 };
	struct change change;
	int result = change_begin(&change, txn, 0);

	flagging->modified.count = 0;
	if (result < 0)
		return result;
	result = keywords_find(&change, flagging->flags->keywords, flagging->flags->keyword_count,
		flagging->operation != PH_FLAGS_REMOVE, &named);
	if (result == 0)
		result = flag_all(&change, flagging, &named);
	keyword_list_free(&named);
	return change_end(&change, result);
}

int flag_messages(uint64_t mailbox, const struct ph_uid_set *uids, enum ph_flag_operation operation,
	const struct ph_flag_list *flags, uint64_t unchanged_since, struct ph_uid_set *modified_r,
	struct ph_error *error)
{
	struct flagging flagging = { uids, operation, flags, unchanged_since, { 0 } };
	int result = store_update(mailbox_partition(mailbox), run_flagging, &flagging, error);

	if (result == 0 && modified_r)
		uid_set_add_all(modified_r, &flagging.modified);
	uid_set_free(&flagging.modified);
	return result;
}

/* --- expunging --- */

struct expunging {
	const struct ph_uid_set *uids; /* NULL: all */
	bool any;
	uint32_t from; /* the UID to go on with; UINT32_MAX: done */
	struct ph_uid_set expunged;
	struct usage usage; /* what went */
	uint32_t next;
};

static int expunge_some(struct change *change, struct expunging *expunging)
{
	struct message_record record;
	uint32_t uid;
	size_t done = 0;

	while (done < EXPUNGE_STEP && (expunging->any || change->meta.deleted > 0)) {
		int result = change_next(change, expunging->uids, expunging->next, &uid, &record);

		if (result == PH_E_ABSENT)
			break;
		if (result < 0)
			return result;
		expunging->next = uid + 1;
		if (!expunging->any && !(record.flags & PH_FLAG_DELETED))
			continue;
		result = change_expunge(change, uid, &record);
		if (result < 0)
			return result;
		uid_set_add(&expunging->expunged, uid, uid);
		done++;
	}
	if (done < EXPUNGE_STEP)
		expunging->next = UINT32_MAX;
	return 0;
}

static int run_expunging(struct ph_kv_txn *txn, void *arg)
{
	struct expunging *expunging = arg;
	struct change change;
	int result = change_begin(&change, txn, 0);

	expunging->expunged.count = 0;
	expunging->next = expunging->from;
	if (result < 0)
		return result;
	change.account = usage_partition(1);
	result = change_end(&change, expunge_some(&change, expunging));
	expunging->usage = (struct usage){ -change.usage.bytes, -change.usage.messages };
	return result;
}

int expunge_messages(uint64_t mailbox, const struct ph_uid_set *uids, bool any, struct ph_uid_set *expunged_r,
	struct ph_error *error)
{
	struct expunging expunging = { .uids = uids, .any = any, .next = 1 };
	int result = 0;

	while (result == 0 && expunging.next != UINT32_MAX) {
		expunging.from = expunging.next;
		result = usage_update(mailbox, run_expunging, &expunging, error);
		if (result == 0)
			usage_release(mailbox_account(mailbox), &expunging.usage);
		if (result == 0 && expunged_r)
			uid_set_add_all(expunged_r, &expunging.expunged);
	}
	uid_set_free(&expunging.expunged);
	return result;
}
