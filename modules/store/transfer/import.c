/* Storing messages that come from elsewhere, several in one transaction.
 *
 * Which messages are \Recent comes along as well: those of an empty mailbox that were not stay so, up to the
 * first that is. A mailbox knows one UID from which on they are. */
#include <config.h>

#include "import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/tool.h>

#include "../account.h"
#include "../change.h"
#include "../keyword.h"
#include "../mailbox.h"
#include "../message.h"
#include "../usage.h"

/* What one transaction stores at most. */
#define BATCH 64
#define BATCH_BYTES (4 << 20)

struct item {
	struct ph_import_message message; /* its texts in the batch's pool */
	struct ph_draft *draft;
	struct thread thread;
	int result;
	uint32_t uid;
};

struct ph_import_mailbox {
	struct ph_import *import;
	struct ph_pool *pool;  /* of the mailbox */
	struct ph_pool *texts; /* of the batch */
	struct ph_str name;
	uint64_t number;
	bool keeps_uids; /* its UIDVALIDITY is that of the messages */
	struct item items[BATCH];
	size_t count;
	uint64_t bytes;
	struct usage usage; /* that the last batch took */
};

/* Names and words of others must not move the cursor of a terminal. */
static void print_plain(struct ph_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		unsigned char next = i + 1 < text.len ? (unsigned char)text.data[i + 1] : 0;
		bool control = c < ' ' || c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0);

		putchar(control ? '?' : c);
		i += c == 0xc2 && control;
	}
}

void import_complain(struct ph_str where, const char *what, const char *why)
{
	ph_progress_hide();
	print_plain(where);
	putchar('\t');
	print_plain(ph_str(what));
	putchar('\t');
	print_plain(ph_str(why));
	putchar('\n');
}

void import_refuse(struct ph_import *import, struct ph_str where, const char *what, const char *why)
{
	import->refused++;
	import_complain(where, what, why);
}

/* --- the mailbox --- */

struct validity {
	struct ph_str name;
	uint32_t wanted;
};

/* What comes later must not get the same one. */
static int note_validity(struct ph_kv_txn *txn, void *arg)
{
	const struct validity *validity = arg;
	struct account_counters counters;
	struct mailbox_record record;
	int result = account_counters_get(txn, 0, &counters);

	if (result == 0)
		result = mailbox_record_get(txn, validity->name, &record);
	if (result < 0)
		return result;
	if (counters.next_uid_validity <= validity->wanted)
		counters.next_uid_validity = validity->wanted + 1;
	record.uid_validity = validity->wanted;
	record.name = validity->name;
	result = account_counters_put(txn, 0, &counters);
	return result < 0 ? result : mailbox_record_put(txn, &record);
}

/* PH_E_DENIED: the mailbox has been used already. */
static int set_validity(struct ph_kv_txn *txn, void *arg)
{
	const struct validity *validity = arg;
	struct change change;
	int result = change_begin(&change, txn, 0);

	if (result < 0)
		return result;
	if (change.meta.uid_validity == validity->wanted)
		return change_end(&change, 0);
	if (change.meta.uid_next > 1)
		return change_end(&change, PH_E_DENIED);
	change.meta.uid_validity = validity->wanted;
	change_modseq(&change);
	return change_end(&change, 0);
}

static int take_validity(struct ph_import_mailbox *mailbox, uint32_t wanted, struct ph_error *error)
{
	struct validity validity = { mailbox->name, wanted };
	int result = 0;

	if (wanted == 0 || wanted == UINT32_MAX)
		return 0;
	result = store_update(account_partition(mailbox->import->account), note_validity, &validity, error);
	if (result == 0)
		result = store_update(mailbox_partition(mailbox->number), set_validity, &validity, error);
	mailbox->keeps_uids = result == 0;
	if (result == PH_E_DENIED)
		import_complain(mailbox->name, "UIDs are not kept", "the mailbox had messages before");
	return result == PH_E_DENIED ? 0 : result;
}

static int find_mailbox(struct ph_import_mailbox *mailbox, struct ph_error *error)
{
	ph_account_id account = mailbox->import->account;
	struct mailbox_record record;
	int result = mailbox_create(PH_ACTOR_SYSTEM, account, mailbox->name, 0, error);

	if (result == 0 || result == PH_E_EXISTS)
		result = mailbox_find(PH_ACTOR_SYSTEM, account, mailbox->name, &record, error);
	mailbox->number = result == 0 ? record.number : 0;
	return result;
}

static void free_mailbox(struct ph_import_mailbox **mailbox)
{
	ph_pool_free(&(*mailbox)->texts);
	ph_pool_free(&(*mailbox)->pool);
	free(*mailbox);
	*mailbox = NULL;
}

struct ph_import_mailbox *import_begin(
	struct ph_import *import, struct ph_str name, unsigned special_use, uint32_t uid_validity)
{
	struct ph_import_mailbox *mailbox = ph_alloc(sizeof(*mailbox));
	struct ph_error error = { 0 };
	struct name parsed;
	int result = name_parse(name, (unsigned)store.config->depth, &parsed);

	mailbox->import = import;
	mailbox->pool = ph_pool_new(0);
	mailbox->texts = ph_pool_new(0);
	mailbox->name = ph_pool_str(mailbox->pool, result == 0 ? name_str(&parsed) : name);
	if (result < 0)
		store_explain(result, "mailbox", &error);
	else
		result = find_mailbox(mailbox, &error);
	if (result == 0)
		result = take_validity(mailbox, uid_validity, &error);
	if (result == 0)
		result = import_take_uses(import->account, mailbox->name, special_use, &error);
	if (result < 0) {
		import_refuse(import, name, "the mailbox", error.client);
		free_mailbox(&mailbox);
	}
	return mailbox;
}

/* --- messages --- */

static struct ph_str name_of(struct key *key, struct ph_str name)
{
	key->bytes[0] = 'i';
	memcpy(key->bytes + 1, name.data, name.len);
	return ph_str_of(key->bytes, 1 + name.len);
}

static int find_name(struct ph_kv_txn *txn, void *arg)
{
	const struct ph_str *name = arg;
	struct ph_str value;
	struct key key;

	return store.kv->get(txn, 0, name_of(&key, *name), &value);
}

bool import_has(struct ph_import_mailbox *mailbox, struct ph_str name)
{
	if (name.len > PH_IMPORT_NAME_MAX ||
		store_read(mailbox_partition(mailbox->number), find_name, &name, NULL) != 0)
		return false;
	mailbox->import->there++;
	return true;
}

static int append(struct change *change, const struct ph_import_mailbox *mailbox, struct item *item)
{
	const struct ph_flag_list *flags = &item->message.flags;
	uint32_t least = item->message.uid != 0 ? item->message.uid : item->message.uid_least;
	struct keyword_list keywords = { 0 };
	struct message_record record = {
		.flags = flags->flags,
		.internal_date = item->message.internal_date,
		.internal_zone = item->message.internal_zone,
		.size = draft_size(item->draft),
		.blob = store.kv->draft_id(draft_blob(item->draft)),
		.thread = item->thread,
	};
	int result = keywords_find(change, flags->keywords, flags->keyword_count, true, &keywords);

	record.keywords = keywords.bytes;
	record.keyword_count = keywords.count;
	if (result == 0 && mailbox->keeps_uids && least <= PH_IMPORT_UID_MAX)
		change_skip(change, least);
	if (result == 0)
		result = change_append(change, &record, draft_summary(item->draft), &item->uid);
	if (result == 0 && !item->message.recent && change->meta.recent == 1) {
		change->meta.recent = 0;
		change->meta.recent_from = change->meta.uid_next;
	}
	keyword_list_free(&keywords);
	return result;
}

static int append_named(struct change *change, const struct ph_import_mailbox *mailbox, struct item *item)
{
	struct ph_str value;
	struct key key;
	int result = store.kv->get(change->txn, 0, name_of(&key, item->message.name), &value);

	if (result == 0)
		return PH_E_EXISTS;
	if (result == PH_E_ABSENT)
		result = append(change, mailbox, item);
	if (result < 0)
		return result;
	return store.kv->put(change->txn, 0, name_of(&key, item->message.name), PH_STR(""));
}

static int append_all(struct ph_kv_txn *txn, void *arg)
{
	struct ph_import_mailbox *mailbox = arg;
	struct change change;
	int result = change_begin(&change, txn, 0);

	if (result < 0)
		return result;
	change.account = usage_partition(1);
	for (size_t i = 0; i < mailbox->count && result == 0; i++) {
		struct item *item = &mailbox->items[i];

		item->result = append_named(&change, mailbox, item);
		if (item->result != PH_E_EXISTS && item->result != PH_E_LIMIT)
			result = item->result;
	}
	result = change_end(&change, result);
	mailbox->usage = change.usage;
	return result;
}

static int update(struct ph_import_mailbox *mailbox, struct ph_error *error)
{
	const struct ph_kv_partition partitions[] = { mailbox_partition(mailbox->number),
		account_partition(mailbox->import->account) };
	struct ph_kv_draft *drafts[BATCH];

	for (size_t i = 0; i < mailbox->count; i++)
		drafts[i] = draft_blob(mailbox->items[i].draft);
	return store.kv->update(partitions, store.kv->atomic_partitions ? 2 : 1, drafts, mailbox->count,
		append_all, mailbox, error);
}

static void report(struct ph_import_mailbox *mailbox, const struct item *item)
{
	const struct ph_import_message *message = &item->message;
	struct ph_import *import = mailbox->import;

	if (item->result == PH_E_EXISTS) {
		import->there++;
	} else if (item->result < 0) {
		import_refuse(import, mailbox->name, message->name.data, "too many keywords or messages");
	} else {
		import->taken++;
		if (mailbox->keeps_uids && message->uid != 0 && message->uid != item->uid)
			import_complain(mailbox->name, message->name.data, "its UID is not kept");
	}
}

/* Where the kv changes one partition at a time: the threads are found before the messages come, and those of
 * messages that did not come are left again. */
static int update_threads(struct ph_import_mailbox *mailbox, struct ph_error *error)
{
	ph_account_id account = mailbox->import->account;
	struct thread_list list = { 0 };
	int result;

	for (size_t i = 0; i < mailbox->count; i++)
		thread_list_add(&list, &mailbox->items[i].thread);
	result = threads_join(account, &list, false, error);
	for (size_t i = 0; i < mailbox->count; i++)
		mailbox->items[i].thread = list.items[i];
	list.count = 0;
	if (result == 0) {
		result = update(mailbox, error);
		for (size_t i = 0; i < mailbox->count; i++) {
			if (result < 0 || mailbox->items[i].result < 0)
				thread_list_add(&list, &mailbox->items[i].thread);
		}
		threads_withdraw(account, &list, result);
	}
	thread_list_free(&list);
	return result;
}

/* Stores the batch. */
static int flush(struct ph_import_mailbox *mailbox, struct ph_error *error)
{
	ph_account_id account = mailbox->import->account;
	const struct usage usage = { (int64_t)mailbox->bytes, (int64_t)mailbox->count };
	struct usage unused;
	int result = usage_reserve(account, &usage, false, error);
	bool reserved = result == 0;

	mailbox->usage = (struct usage){ 0 };
	if (result == 0 && mailbox->count > 0)
		result =
			store.kv->atomic_partitions ? update(mailbox, error) : update_threads(mailbox, error);
	unused = (struct usage){ usage.bytes - mailbox->usage.bytes,
		usage.messages - mailbox->usage.messages };
	if (result == 0)
		usage_release(account, &unused);
	else if (reserved)
		usage_withdraw(account, &usage, result);
	for (size_t i = 0; i < mailbox->count; i++) {
		if (result == 0)
			report(mailbox, &mailbox->items[i]);
		draft_free(&mailbox->items[i].draft);
	}
	mailbox->count = 0;
	mailbox->bytes = 0;
	ph_pool_clear(mailbox->texts);
	return result;
}

static void complain_of_keyword(
	struct ph_import_mailbox *mailbox, const struct ph_import_message *message, struct ph_str keyword)
{
	import_complain(mailbox->name, message->name.data,
		ph_pool_printf(mailbox->texts, "its keyword %.*s is not legal, and not kept",
			PH_STR_ARGS(ph_str_slice(keyword, 0, PH_KEYWORD_MAX)))
			.data);
}

static void copy_message(
	struct ph_import_mailbox *mailbox, const struct ph_import_message *from, struct item *item)
{
	const struct ph_flag_list *flags = &from->flags;
	struct ph_str *keywords = ph_pool_array(mailbox->texts, flags->keyword_count, sizeof(*keywords));
	size_t count = 0;

	item->message = *from;
	item->message.name = ph_pool_str(mailbox->texts, from->name);
	for (size_t i = 0; i < flags->keyword_count; i++) {
		if (keyword_is_legal(flags->keywords[i]))
			keywords[count++] = ph_pool_str(mailbox->texts, flags->keywords[i]);
		else
			complain_of_keyword(mailbox, &item->message, flags->keywords[i]);
	}
	item->message.flags.keywords = keywords;
	item->message.flags.keyword_count = count;
}

int import_add(struct ph_import_mailbox *mailbox, const struct ph_import_message *message,
	struct ph_draft *draft, struct ph_error *error)
{
	struct item *item = &mailbox->items[mailbox->count];
	int result = draft_finish(draft, NULL, error);

	if (result == 0 && message->name.len > PH_IMPORT_NAME_MAX) {
		import_refuse(mailbox->import, mailbox->name, message->name.data, "its name is too long");
		draft_free(&draft);
		return 0;
	}
	if (result < 0) {
		draft_free(&draft);
		return result;
	}
	*item = (struct item){ .draft = draft, .thread = *draft_thread(draft) };
	copy_message(mailbox, message, item);
	mailbox->count++;
	mailbox->bytes += draft_size(draft);
	return mailbox->count == BATCH || mailbox->bytes >= BATCH_BYTES ? flush(mailbox, error) : 0;
}

static int raise_uid_next(struct ph_kv_txn *txn, void *arg)
{
	const uint32_t *uid_next = arg;
	struct change change;
	int result = change_begin(&change, txn, 0);

	if (result < 0)
		return result;
	change_skip(&change, *uid_next);
	return change_end(&change, 0);
}

int import_end(struct ph_import_mailbox **mailbox, uint32_t uid_next, struct ph_error *error)
{
	struct ph_import_mailbox *open = *mailbox;
	int result = flush(open, error);

	if (open->keeps_uids && uid_next > PH_IMPORT_UID_MAX) {
		import_complain(open->name, "UIDNEXT is not kept", "too few UIDs would be left");
		uid_next = 0;
	}
	if (result == 0 && open->keeps_uids && uid_next > 1)
		result = store_update(mailbox_partition(open->number), raise_uid_next, &uid_next, error);
	free_mailbox(mailbox);
	return result;
}

void import_subscribe(struct ph_import *import, struct ph_str name)
{
	struct ph_error error = { 0 };

	if (mailbox_subscribe(PH_ACTOR_SYSTEM, import->account, name, true, &error) < 0)
		import_refuse(import, name, "the subscription", error.client);
}

const struct ph_import_service import_service = {
	.run = import_run,
	.complain = import_complain,
	.refuse = import_refuse,
	.begin = import_begin,
	.has = import_has,
	.add = import_add,
	.end = import_end,
	.subscribe = import_subscribe,
};

/* --- lines --- */

static void decide(struct import_writer *writer, struct ph_str bytes)
{
	ptrdiff_t end = ph_str_find(bytes, '\n');

	if (end < 0)
		return;
	writer->decided = true;
	writer->as_is = (end > 0 ? bytes.data[end - 1] : writer->last) == '\r';
}

int import_write(struct import_writer *writer, struct ph_str bytes, struct ph_error *error)
{
	int result = 0;

	if (!writer->decided)
		decide(writer, bytes);
	while (bytes.len > 0 && result == 0) {
		ptrdiff_t end = writer->as_is ? -1 : ph_str_find(bytes, '\n');
		struct ph_str line = ph_str_slice(bytes, 0, end < 0 ? bytes.len : (size_t)end);
		char last = line.len > 0 ? line.data[line.len - 1] : writer->last;

		if (line.len > 0)
			result = draft_write(writer->draft, line, error);
		if (result == 0 && end >= 0)
			result = draft_write(
				writer->draft, last == '\r' ? PH_STR("\n") : PH_STR("\r\n"), error);
		writer->last = end >= 0 ? '\n' : last;
		bytes = ph_str_slice(bytes, line.len + (end >= 0), bytes.len);
	}
	return result;
}
