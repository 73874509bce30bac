/* Changing flags and keywords. */
#include <config.h>

#include <string.h>

#include "keyword.h"
#include "mailbox.h"
#include "message.h"
#include "uid_set.h"

/* Messages that one transaction looks at and changes, so that others need not wait long. */
#define STEP 1000
/* The UID to go on with, when there are no more: never given. */
#define DONE UINT32_MAX

struct flagging {
	const struct ph_uid_set *uids;
	enum ph_flag_operation operation;
	const struct ph_flag_list *flags;
	uint64_t unchanged_since;
	/* Of one step: */
	uint32_t from; /* the UID it begins with */
	uint32_t next; /* the UID to go on with */
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

static int flag_some(struct change *change, struct flagging *flagging, const struct keyword_list *named)
{
	struct message_record record;
	uint32_t uid;

	for (int i = 0; i < STEP; i++) {
		int result = change_next(change, flagging->uids, flagging->next, &uid, &record);

		if (result == PH_E_ABSENT) {
			flagging->next = DONE;
			return 0;
		}
		if (result < 0)
			return result;
		flagging->next = uid + 1;
		if (flagging->unchanged_since && record.modseq > flagging->unchanged_since) {
			uid_set_add(&flagging->modified, uid, uid);
			continue;
		}
		result = flag_one(change, flagging, named, uid, &record);
		if (result < 0)
			return result;
	}
	return 0;
}

static int run_flagging(struct ph_kv_txn *txn, void *arg)
{
	struct flagging *flagging = arg;
	struct keyword_list named = { 0 };
	struct change change;
	int result = change_begin(&change, txn, 0);

	flagging->modified.count = 0;
	flagging->next = flagging->from;
	if (result < 0)
		return result;
	result = keywords_find(&change, flagging->flags->keywords, flagging->flags->keyword_count,
		flagging->operation != PH_FLAGS_REMOVE, &named);
	if (result == 0)
		result = flag_some(&change, flagging, &named);
	keyword_list_free(&named);
	return change_end(&change, result);
}

int flag_messages(uint64_t mailbox, const struct ph_uid_set *uids, enum ph_flag_operation operation,
	const struct ph_flag_list *flags, uint64_t unchanged_since, struct ph_uid_set *modified_r,
	struct ph_error *error)
{
	struct flagging flagging = { .uids = uids,
		.operation = operation,
		.flags = flags,
		.unchanged_since = unchanged_since,
		.next = 1 };
	int result = 0;

	while (result == 0 && flagging.next != DONE) {
		flagging.from = flagging.next;
		result = store_update(mailbox_partition(mailbox), run_flagging, &flagging, error);
		if (result == 0 && modified_r)
			uid_set_add_all(modified_r, &flagging.modified);
	}
	uid_set_free(&flagging.modified);
	return result;
}
