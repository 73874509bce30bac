/* Threads (RFC 8474, 5.2): who belongs to whom, what is kept of it, and that it never changes. Loop 0: with a
 * kv that changes several partitions together; loop 1: with one that does not. */
#include <config.h>

#include "../../modules/store/check/check.h"
#include "../../modules/store/siphash.h"
#include "../../modules/store/thread.h"
#include "store_fixture.h"

/* --- what is stored --- */

struct seen {
	uint32_t uid;
	uint64_t thread;
	struct ph_kv_blob_id blob;
};

static size_t list(ph_account_id account, const char *name, struct seen *seen, size_t max)
{
	struct ph_mailbox *mailbox = open_mailbox(account, name, true);
	struct ph_message_iterator *iterator = st->messages_begin(mailbox, NULL, 0);
	const struct ph_message *message;
	size_t count = 0;

	while (st->messages_next(iterator, &message)) {
		char id[PH_THREAD_ID_SIZE];

		ck_assert_uint_lt(count, max);
		ck_assert_int_eq(st->message_thread_id(message, id), message->thread != 0);
		ck_assert_uint_eq(strlen(id), PH_THREAD_ID_SIZE - 1);
		seen[count++] = (struct seen){ message->uid, message->thread, message->blob };
	}
	ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
	st->mailbox_close(&mailbox);
	return count;
}

static int count_thread_key(struct ph_kv_txn *txn, void *arg)
{
	struct ph_kv_cursor *cursor = fixture.kv.cursor(txn, 0);
	struct ph_str key, value;
	unsigned *count = arg;

	*count = 0;
	for (int result = fixture.kv.seek(cursor, S("t"), &key, &value); result == 0 && key.data[0] == 't';
		result = fixture.kv.next(cursor, &key, &value))
		(*count)++;
	return 0;
}

static unsigned count_thread_keys(ph_account_id account)
{
	struct ph_kv_partition partition = account_partition(account);
	unsigned count;

	ck_assert_int_eq(fixture.kv.read(&partition, 1, count_thread_key, &count, NULL), 0);
	return count;
}

static char told[1024];

static void tell(struct check *check, const struct fault *fault)
{
	size_t len = strlen(told);

	snprintf(told + len, sizeof(told) - len, "%.*s %s%s\n", PH_STR_ARGS(check->address), fault->text,
		fault->repaired ? " +" : "");
}

static const char *run_check(bool repair)
{
	struct check check = { .repair = repair, .quick = true, .tell = tell };

	told[0] = '\0';
	ck_assert_int_eq(check_store(&check, 0, NULL), 0);
	return told;
}

static void copy_range(ph_account_id from, const char *source, uint32_t first, uint32_t last,
	ph_account_id to, const char *target, bool move, struct ph_copied *copied)
{
	struct ph_mailbox *mailbox = open_mailbox(from, source, false);
	struct ph_uid_set set = uids(first, last);

	ck_assert_int_eq(st->messages_copy(SYSTEM, mailbox, &set, to, ph_str(target), move, copied, NULL), 0);
	st->uid_set_free(&set);
	st->mailbox_close(&mailbox);
}

static void copy(ph_account_id from, const char *source, ph_account_id to, const char *target, bool move)
{
	struct ph_copied copied;

	copy_range(from, source, 1, UINT32_MAX, to, target, move, &copied);
	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
}

static void expunge(ph_account_id account, const char *name, uint32_t first, uint32_t last)
{
	struct ph_mailbox *mailbox = open_mailbox(account, name, false);
	struct ph_uid_set set = uids(first, last);

	ck_assert_int_eq(st->messages_expunge(SYSTEM, mailbox, &set, true, NULL, NULL), 0);
	st->uid_set_free(&set);
	st->mailbox_close(&mailbox);
}

/* --- tests --- */

/* Of the paper. */
START_TEST(siphash_is_siphash)
{
	char bytes[16];

	for (int i = 0; i < 16; i++)
		bytes[i] = (char)i;
	ck_assert_uint_eq(siphash(bytes, ph_str_of(bytes, 15)), UINT64_C(0xa129ca6149be45e5));
	ck_assert_uint_eq(siphash(bytes, S("")), UINT64_C(0x726fdb47dd0e0e31));
}
END_TEST

START_TEST(messages_find_their_thread)
{
	static const struct {
		const char *header;
		size_t like; /* a row above (or itself) */
	} rows[] = {
		{ "Message-ID: <1@x>\r\nSubject: Plan\r\n", 0 },
		{ "Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\nSubject: Re: Plan\r\n", 0 },
		{ "Message-ID: <3@x>\r\nReferences: <1@x>\r\n <2@x>\r\nSubject: AW: Re: [list] plan\r\n", 0 },
		/* Another subject is another thread, and its replies are in it. */
		{ "Message-ID: <4@x>\r\nReferences: <1@x> <2@x>\r\nSubject: Lunch\r\n", 3 },
		{ "Message-ID: <5@x>\r\nReferences: <1@x> <2@x> <4@x>\r\nSubject: Re: Lunch\r\n", 3 },
		/* No more than the subject in common. */
		{ "Message-ID: <6@x>\r\nSubject: Plan\r\n", 5 },
		{ "Subject: Plan\r\n", 6 },
		{ "Subject: Plan\r\n", 7 },
		/* What they answer never came. */
		{ "Message-ID: <8@x>\r\nReferences: <7@x>\r\nSubject: Re: Gone\r\n", 8 },
		{ "Message-ID: <9@x>\r\nReferences: <7@x>\r\nSubject: Re: Gone\r\n", 8 },
		/* It comes late. */
		{ "Message-ID: <7@x>\r\nSubject: Gone\r\n", 8 },
		/* The same once more. */
		{ "Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\nSubject: Re: Plan\r\n", 0 },
		/* Marks of replies in other scripts; lines that were folded elsewhere. */
		{ "Message-ID: <10@x>\r\nReferences: <8@x>\r\n"
		  "Subject: =?utf-8?B?5Zue5aSN77yaR28=?=\r\n ne\r\n",
			8 },
		{ "Message-ID: <11@x>\r\nReferences: <10@x>\r\nSubject: Antwort: Gone\r\n", 8 },
		{ "Message-ID: <12@x>\r\nReferences: <10@x>\r\n"
		  "Subject: =?utf-8?B?5Zue5aSN77yaR29uZQ==?=\r\n",
			8 },
		{ "Message-ID: <13@x>\r\nReferences: <9@x> <other@x>\r\nSubject: Fwd: [fyi] Gone (fwd)\r\n",
			8 },
		{ "Message-ID: <14@x>\r\n", 16 },
		{ "Message-ID: <15@x>\r\nReferences: <14@x>\r\nSubject: Re:\r\n", 16 },
	};
	enum { ROWS = sizeof(rows) / sizeof(*rows) };
	struct seen seen[ROWS];

	use_atomic_partitions(_i == 0);
	for (size_t i = 0; i < ROWS; i++)
		deliver_text(fixture.alice, "INBOX",
			ph_pool_printf(fixture.pool, "%s\r\ntext\r\n", rows[i].header).data);
	ck_assert_uint_eq(list(fixture.alice, "INBOX", seen, ROWS), ROWS);
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t k = 0; k <= i; k++)
			ck_assert_msg((seen[i].thread == seen[k].thread) == (rows[i].like == rows[k].like),
				"rows %zu and %zu", i, k);
	}
	/* Another account knows nothing of it, but for a thread that begins there as it did here. */
	deliver_text(
		fixture.bob, "INBOX", ph_pool_printf(fixture.pool, "%s\r\ntext\r\n", rows[4].header).data);
	ck_assert_uint_eq(list(fixture.bob, "INBOX", seen + 1, 1), 1);
	ck_assert_uint_ne(seen[1].thread, seen[4].thread);
	ck_assert_str_eq(run_check(false), "");
	expunge(fixture.alice, "INBOX", 1, UINT32_MAX);
	ck_assert_uint_eq(count_thread_keys(fixture.alice), 0);
}
END_TEST

START_TEST(ids_without_number_cost_little)
{
	struct ph_draft *draft = st->draft_new();
	struct ph_destination destination = { fixture.alice, S("INBOX"), false, { 0 }, 1, 0, 0 };
	struct seen seen[2];

	use_atomic_partitions(_i == 0);
	st->draft_write(draft, S("Message-ID: <own@x>\r\nReferences:"), NULL);
	for (int i = 0; i < 10000; i++)
		st->draft_write(draft, ph_pool_printf(fixture.pool, " <%d@x>\r\n", i), NULL);
	st->draft_write(draft, S("\r\n"), NULL);
	ck_assert_int_eq(st->deliver(SYSTEM, draft, 1000, 60, &destination, 1, NULL), 0);
	st->draft_free(&draft);
	ck_assert_uint_eq(count_thread_keys(fixture.alice), THREAD_KEYS_MAX);
	deliver_text(fixture.alice, "INBOX", "Message-ID: <other@x>\r\nReferences: <own@x>\r\n\r\n");
	ck_assert_uint_eq(list(fixture.alice, "INBOX", seen, 2), 2);
	ck_assert_uint_eq(seen[0].thread, seen[1].thread);
}
END_TEST

START_TEST(threads_go_along_and_go)
{
	struct seen seen[4];
	uint64_t thread;

	use_atomic_partitions(_i == 0);
	deliver_text(fixture.alice, "INBOX", "Message-ID: <1@x>\r\n\r\n");
	deliver_text(fixture.alice, "INBOX", "Message-ID: <2@x>\r\nReferences: <1@x>\r\n\r\n");
	ck_assert_uint_eq(list(fixture.alice, "INBOX", seen, 2), 2);
	thread = seen[0].thread;
	copy(fixture.alice, "INBOX", fixture.alice, "Archive", false);
	copy(fixture.alice, "INBOX", fixture.alice, "Junk", true);
	copy(fixture.alice, "Junk", fixture.alice, "Junk", true);
	ck_assert_uint_eq(list(fixture.alice, "Archive", seen, 2), 2);
	ck_assert_uint_eq(list(fixture.alice, "Junk", seen + 2, 2), 2);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(seen[i].thread, thread);
	ck_assert_uint_eq(count_thread_keys(fixture.alice), 2);
	/* To another account, where the thread is known by another message. */
	deliver_text(fixture.bob, "INBOX", "Message-ID: <3@x>\r\nReferences: <2@x>\r\n\r\n");
	copy(fixture.alice, "Junk", fixture.bob, "Archive", true);
	ck_assert_uint_eq(list(fixture.bob, "INBOX", seen, 1), 1);
	ck_assert_uint_eq(list(fixture.bob, "Archive", seen + 1, 2), 2);
	ck_assert_uint_eq(seen[2].thread, seen[0].thread);
	ck_assert_str_eq(run_check(false), "");
	ck_assert_int_eq(st->mailbox_delete(SYSTEM, fixture.alice, S("Archive"), NULL), 0);
	ck_assert_uint_eq(count_thread_keys(fixture.alice), 0);
	ck_assert_uint_eq(count_thread_keys(fixture.bob), 3);
	/* What begins the thread again has its id again. */
	deliver_text(fixture.alice, "INBOX", "Message-ID: <1@x>\r\n\r\n");
	ck_assert_uint_eq(list(fixture.alice, "INBOX", seen, 1), 1);
	ck_assert_uint_eq(seen[0].thread, thread);
}
END_TEST

/* --- damage --- */

static int spoil_entries(struct ph_kv_txn *txn, void *arg)
{
	const struct message_record *record = arg;
	const struct thread_entry orphan = { 1, 2 };
	struct thread_entry entry;
	struct key key;

	ck_assert_uint_eq(record->thread.count, 3);
	ck_assert_int_eq(thread_entry_get(txn, 0, record->thread.keys[0], &entry), 0);
	entry.messages = 7;
	thread_entry_put(txn, 0, record->thread.keys[0], &entry);
	fixture.kv.del(txn, 0, key_64(&key, 't', record->thread.keys[1]));
	fixture.kv.put(txn, 0, key_64(&key, 't', record->thread.keys[2]), S("nonsense"));
	return thread_entry_put(txn, 0, 12345, &orphan);
}

static int get_first(struct ph_kv_txn *txn, void *arg)
{
	struct ph_str value;
	struct key key;

	fixture.kv.get(txn, 0, key_32(&key, 'u', 1), &value);
	return message_record_decode(value, arg);
}

START_TEST(wrong_counts_are_told_and_repaired)
{
	struct ph_kv_partition inbox = mailbox_partition(fixture.alice << 32 | 1);
	struct ph_kv_partition account = account_partition(fixture.alice);
	struct message_record record;
	struct seen seen[4];

	use_atomic_partitions(_i == 0);
	deliver_text(fixture.alice, "INBOX", "Message-ID: <3@x>\r\nReferences: <1@x> <2@x>\r\n\r\n");
	deliver_text(fixture.alice, "INBOX", "Message-ID: <4@x>\r\nReferences: <3@x>\r\n\r\n");
	ck_assert_int_eq(fixture.kv.read(&inbox, 1, get_first, &record, NULL), 0);
	ck_assert_str_eq(run_check(false), "");
	ck_assert_int_eq(fixture.kv.update(&account, 1, NULL, 0, spoil_entries, &record, NULL), 0);
	ck_assert_str_eq(run_check(false), "alice@demo.test its threads are counted too low at 2 keys\n"
					   "alice@demo.test its threads are counted too high at 2 keys\n");
	/* Mail goes on coming. */
	deliver_text(fixture.alice, "INBOX", "Message-ID: <5@x>\r\nReferences: <1@x> <3@x>\r\n\r\n");
	ck_assert_str_eq(run_check(true), "alice@demo.test its threads are counted too low at 2 keys +\n"
					  "alice@demo.test its threads are counted too high at 2 keys +\n");
	ck_assert_str_eq(run_check(false), "");
	deliver_text(fixture.alice, "INBOX", "Message-ID: <6@x>\r\nReferences: <2@x>\r\n\r\n");
	ck_assert_uint_eq(list(fixture.alice, "INBOX", seen, 4), 4);
	for (int i = 1; i < 4; i++)
		ck_assert_uint_eq(seen[i].thread, seen[0].thread);
	expunge(fixture.alice, "INBOX", 1, UINT32_MAX);
	ck_assert_uint_eq(count_thread_keys(fixture.alice), 0);
}
END_TEST

/* As it was before there were threads. */
static int make_old(struct ph_kv_txn *txn, void *arg)
{
	const uint32_t *uid = arg;
	struct message_record record;
	struct ph_str value;
	struct key key;
	char bytes[128];

	fixture.kv.get(txn, 0, key_32(&key, 'u', *uid), &value);
	ck_assert_int_eq(message_record_decode(value, &record), 0);
	record.thread = (struct thread){ 0 };
	message_record_encode(&record, bytes);
	ck_assert_uint_eq(message_record_size(&record), 56 + 2 * (size_t)record.keyword_count);
	return fixture.kv.put(
		txn, 0, key_32(&key, 'u', *uid), ph_str_of(bytes, message_record_size(&record)));
}

START_TEST(old_messages_get_threads_by_repair)
{
	struct ph_kv_partition inbox = mailbox_partition(fixture.alice << 32 | 1);
	const struct ph_str keyword = S("kept");
	const struct ph_flag_list flags = { PH_FLAG_SEEN, &keyword, 1 };
	struct ph_mailbox *mailbox;
	struct ph_uid_set all = uids(1, UINT32_MAX);
	struct seen seen[8];

	deliver_text(fixture.alice, "INBOX", "Message-ID: <1@x>\r\nSubject: a\r\n\r\n");
	deliver_text(fixture.alice, "INBOX", "Message-ID: <2@x>\r\nSubject: b\r\n\r\n");
	deliver_flagged(fixture.alice, "INBOX",
		S("Message-ID: <3@x>\r\nReferences: <1@x>\r\nSubject: Re: a\r\n\r\n"), flags);
	deliver_text(fixture.alice, "INBOX", "Subject: a\r\n\r\n");
	for (uint32_t uid = 1; uid <= 4; uid++)
		ck_assert_int_eq(fixture.kv.update(&inbox, 1, NULL, 0, make_old, &uid, NULL), 0);
	/* The keys are still there, of which an old store knew none. */
	ck_assert_str_eq(run_check(false), "alice@demo.test its threads are counted too high at 3 keys\n");
	use_atomic_partitions(_i == 0);
	/* All that is done to old messages leaves them as they are. */
	mailbox = open_mailbox(fixture.alice, "INBOX", false);
	ck_assert_int_eq(st->messages_flag(SYSTEM, mailbox, &all, PH_FLAGS_ADD, &flags, 0, NULL, NULL), 0);
	st->mailbox_close(&mailbox);
	copy(fixture.alice, "INBOX", fixture.alice, "Archive", false);
	copy(fixture.alice, "Archive", fixture.alice, "Junk", true);
	expunge(fixture.alice, "Junk", 1, 1);
	ck_assert_uint_eq(list(fixture.alice, "INBOX", seen, 4), 4);
	ck_assert_uint_eq(list(fixture.alice, "Junk", seen + 4, 3), 3);
	for (int i = 0; i < 7; i++)
		ck_assert_uint_eq(seen[i].thread, 0);
	run_check(true);
	ck_assert_str_eq(run_check(false), "");
	ck_assert_uint_eq(list(fixture.alice, "INBOX", seen, 4), 4);
	ck_assert_uint_eq(list(fixture.alice, "Junk", seen + 4, 3), 3);
	ck_assert_uint_ne(seen[0].thread, 0);
	ck_assert_uint_ne(seen[0].thread, seen[1].thread);
	ck_assert_uint_eq(seen[0].thread, seen[2].thread);
	ck_assert_uint_ne(seen[3].thread, 0);
	ck_assert_uint_ne(seen[3].thread, seen[0].thread);
	for (int i = 1; i < 4; i++)
		ck_assert_uint_eq(seen[3 + i].thread, seen[i].thread);
	mailbox = open_mailbox(fixture.alice, "INBOX", false);
	ck_assert_int_eq(st->messages_expunge(SYSTEM, mailbox, &all, true, NULL, NULL), 0);
	st->mailbox_close(&mailbox);
	expunge(fixture.alice, "Junk", 1, UINT32_MAX);
	ck_assert_uint_eq(count_thread_keys(fixture.alice), 0);
	st->uid_set_free(&all);
}
END_TEST

/* --- random work, compared with a naive model --- */

#define IDS 12
#define SUBJECTS 2
#define KEYS (IDS * SUBJECTS)
#define MAILBOXES 3
#define MESSAGES 400

struct model_message {
	int account, mailbox;
	uint32_t uid;
	uint64_t thread;
	int keys[THREAD_KEYS_MAX];
	int count;
};

static struct model {
	uint64_t threads[KEYS]; /* where each key leads */
	int messages[KEYS];     /* that have it */
} models[2];
static struct model_message messages[MESSAGES];
static size_t message_count;
static uint64_t fresh[KEYS]; /* the ids of threads that a message with this key first began */
static uint64_t seed;
static const char *const names[MAILBOXES] = { "INBOX", "Archive", "Extra" };

static int any(int below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (int)((seed >> 33) % (uint64_t)below);
}

static ph_account_id account_of(int account)
{
	return account == 0 ? fixture.alice : fixture.bob;
}

static void add_key(struct model_message *message, int key)
{
	for (int i = 0; i < message->count; i++) {
		if (message->keys[i] == key)
			return;
	}
	if (message->count < THREAD_KEYS_MAX)
		message->keys[message->count++] = key;
}

/* `known`: it keeps its thread. */
static void model_join(struct model_message *message, bool known)
{
	struct model *model = &models[message->account];

	for (int i = 0; i < message->count && !known; i++) {
		if (model->messages[message->keys[i]] > 0) {
			message->thread = model->threads[message->keys[i]];
			known = true;
		}
	}
	for (int i = 0; i < message->count; i++) {
		if (model->messages[message->keys[i]]++ == 0)
			model->threads[message->keys[i]] = message->thread;
	}
	ck_assert_uint_lt(message_count, MESSAGES);
	messages[message_count++] = *message;
}

static void model_leave(size_t index)
{
	struct model *model = &models[messages[index].account];

	for (int i = 0; i < messages[index].count; i++)
		model->messages[messages[index].keys[i]]--;
	messages[index] = messages[--message_count];
}

/* The message's header, and its keys in the model: itself, the nearest, the eldest. */
static const char *make_message(struct model_message *message)
{
	static char text[1000];
	int subject = any(SUBJECTS), references[7], count = any(8), len;

	*message = (struct model_message){ 0 };
	len = snprintf(text, sizeof(text), "Subject: %s%d\r\n", any(2) ? "Re: " : "", subject);
	if (any(10) > 0) {
		int own = any(IDS);

		len += snprintf(text + len, sizeof(text) - (size_t)len, "Message-ID: <%d@x>\r\n", own);
		add_key(message, own * SUBJECTS + subject);
	}
	if (count > 0)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "References:");
	for (int i = 0; i < count; i++) {
		references[i] = any(IDS);
		len += snprintf(text + len, sizeof(text) - (size_t)len, " <%d@x>\r\n", references[i]);
	}
	for (int i = count - 1; i >= 0 && message->count < THREAD_KEYS_MAX - 1; i--)
		add_key(message, references[i] * SUBJECTS + subject);
	if (count > 0)
		add_key(message, references[0] * SUBJECTS + subject);
	snprintf(text + len, sizeof(text) - (size_t)len, "\r\ntext\r\n");
	return text;
}

static uint64_t stored_thread(const struct model_message *message)
{
	struct seen seen[MESSAGES];
	size_t count = list(account_of(message->account), names[message->mailbox], seen, MESSAGES);

	for (size_t i = 0; i < count; i++) {
		if (seen[i].uid == message->uid)
			return seen[i].thread;
	}
	return 0;
}

/* The thread that the message begins, unless it joins another: it depends on its first key only. */
static uint64_t begun_thread(const struct model_message *message)
{
	const struct model *model = &models[message->account];
	uint64_t thread = stored_thread(message);

	for (int i = 0; i < message->count; i++) {
		if (model->messages[message->keys[i]] > 0)
			return 0;
	}
	ck_assert_uint_ne(thread, 0);
	if (message->count == 0)
		return thread;
	for (int i = 0; i < KEYS; i++)
		ck_assert(i == message->keys[0] ? fresh[i] == 0 || fresh[i] == thread : fresh[i] != thread);
	fresh[message->keys[0]] = thread;
	return thread;
}

static void deliver_random(void)
{
	struct ph_destination to[3];
	struct model_message message;
	struct ph_draft *draft = make_draft(ph_str(make_message(&message)));
	int count = 1 + any(3);
	int places[3];

	for (int i = 0; i < count; i++) {
		places[i] = any(2 * MAILBOXES);
		to[i] = (struct ph_destination){ .account = account_of(places[i] / MAILBOXES),
			.mailbox = ph_str(names[places[i] % MAILBOXES]) };
	}
	ck_assert_int_eq(st->deliver(SYSTEM, draft, 1000, 60, to, (size_t)count, NULL), 0);
	st->draft_free(&draft);
	for (int i = 0; i < count; i++) {
		struct model_message one = message;

		one.account = places[i] / MAILBOXES;
		one.mailbox = places[i] % MAILBOXES;
		one.uid = to[i].uid;
		one.thread = begun_thread(&one);
		model_join(&one, false);
	}
}

static void expunge_random(void)
{
	int account = any(2), mailbox = any(MAILBOXES);
	uint32_t first = 1 + (uint32_t)any(100), last = first + (uint32_t)any(20);

	expunge(account_of(account), names[mailbox], first, last);
	for (size_t i = message_count; i-- > 0;) {
		const struct model_message *one = &messages[i];

		if (one->account == account && one->mailbox == mailbox && one->uid >= first &&
			one->uid <= last)
			model_leave(i);
	}
}

static uint32_t nth(const struct ph_uid_set *set, uint64_t index)
{
	for (size_t i = 0; i < set->count; i++) {
		uint64_t length = (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;

		if (index < length)
			return set->ranges[i].first + (uint32_t)index;
		index -= length;
	}
	return 0;
}

static size_t find_message(int account, int mailbox, uint32_t uid)
{
	for (size_t i = 0; i < message_count; i++) {
		if (messages[i].account == account && messages[i].mailbox == mailbox &&
			messages[i].uid == uid)
			return i;
	}
	ck_abort_msg("a message that was copied is not there");
	return 0;
}

static void copy_random(void)
{
	int from = any(2 * MAILBOXES), to = any(2 * MAILBOXES);
	bool move = any(2);
	uint32_t first = 1 + (uint32_t)any(100);
	struct ph_copied copied;

	copy_range(account_of(from / MAILBOXES), names[from % MAILBOXES], first, first + (uint32_t)any(10),
		account_of(to / MAILBOXES), names[to % MAILBOXES], move, &copied);
	for (uint64_t i = 0; i < st->uid_set_count(&copied.source); i++) {
		size_t index = find_message(from / MAILBOXES, from % MAILBOXES, nth(&copied.source, i));
		struct model_message message = messages[index];

		message.account = to / MAILBOXES;
		message.mailbox = to % MAILBOXES;
		message.uid = nth(&copied.target, i);
		model_join(&message, from / MAILBOXES == to / MAILBOXES);
		if (move)
			model_leave(index);
	}
	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
}

static void delete_random(void)
{
	int account = any(2);

	ck_assert_int_eq(st->mailbox_delete(SYSTEM, account_of(account), S("Extra"), NULL), 0);
	ck_assert_int_eq(st->mailbox_create(SYSTEM, account_of(account), S("Extra"), 0, NULL), 0);
	for (size_t i = message_count; i-- > 0;) {
		if (messages[i].account == account && messages[i].mailbox == 2)
			model_leave(i);
	}
}

/* No thread has changed; what is the same message is in the same thread; no key is kept for nothing. */
static void check_all(void)
{
	for (int account = 0; account < 2; account++) {
		struct seen all[MESSAGES];
		size_t count = 0;
		unsigned keys = 0;

		for (int i = 0; i < MAILBOXES; i++) {
			size_t first = count;

			count += list(account_of(account), names[i], all + count, MESSAGES - count);
			for (size_t k = first; k < count; k++)
				ck_assert_uint_eq(
					messages[find_message(account, i, all[k].uid)].thread, all[k].thread);
		}
		for (size_t i = 0; i < count; i++) {
			for (size_t k = 0; k < i; k++)
				ck_assert(memcmp(&all[i].blob, &all[k].blob, sizeof(all[i].blob)) != 0 ||
					  all[i].thread == all[k].thread);
		}
		for (size_t i = 0; i < message_count; i++)
			count -= messages[i].account == account;
		ck_assert_uint_eq(count, 0);
		for (int i = 0; i < KEYS; i++)
			keys += models[account].messages[i] > 0;
		ck_assert_uint_eq(count_thread_keys(account_of(account)), keys);
	}
}

START_TEST(random_work)
{
	use_atomic_partitions(_i % 2 == 0);
	seed = (uint64_t)_i + 1;
	message_count = 0;
	memset(models, 0, sizeof(models));
	memset(fresh, 0, sizeof(fresh));
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(st->mailbox_create(SYSTEM, account_of(i), S("Extra"), 0, NULL), 0);
	for (int i = 0; i < 200; i++) {
		int what = any(20);

		if (what < 10 && message_count < MESSAGES / 2)
			deliver_random();
		else if (what < 14)
			expunge_random();
		else if (what < 19)
			copy_random();
		else
			delete_random();
		if (i % 4 == 0)
			check_all();
	}
	check_all();
	ck_assert_str_eq(run_check(false), "");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("store threads");
	TCase *tests = tcase_create("threads");

	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, setup_store, teardown_store);
	tcase_add_test(tests, siphash_is_siphash);
	tcase_add_loop_test(tests, messages_find_their_thread, 0, 2);
	tcase_add_loop_test(tests, ids_without_number_cost_little, 0, 2);
	tcase_add_loop_test(tests, threads_go_along_and_go, 0, 2);
	tcase_add_loop_test(tests, wrong_counts_are_told_and_repaired, 0, 2);
	tcase_add_loop_test(tests, old_messages_get_threads_by_repair, 0, 2);
	tcase_add_loop_test(tests, random_work, 0, 4);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return store_main(make_suite);
}
