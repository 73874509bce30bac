/* What it costs for each message to work on mailboxes of 1,000, 10,000 and 100,000, in processor time, which
 * other work on the machine disturbs least, and of several rounds the least. Fails when a message in the
 * largest mailbox costs more than one in the smallest, but for what caches explain. The store lies in a
 * folder of its own below TMPDIR. */
#include <config.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include <posthorn/fiber.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>

#include "../../modules/address/syntax.h"
#include "../../modules/kv_lmdb/kv_lmdb.h"
#include "../../modules/mime/service.h"
#include "../../modules/store/store.h"

#define SYSTEM PH_ACTOR_SYSTEM
#define CHANGED 10000
#define ROUNDS 5
/* How much more a message may cost in the largest mailbox, whose records do not fit into the processor's
 * caches; and microseconds that are too few to be compared. */
#define MOST_RATIO 1.5
#define TOO_FEW 0.1

static const struct ph_store_service *const st = &store_service;
static const uint32_t sizes[] = { 1000, 10000, 100000 };
enum { SIZES = sizeof(sizes) / sizeof(*sizes) };

static char directory[4096];
static ph_account_id account;

static void need(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, ph_code_name(result));
	exit(EXIT_FAILURE);
}

/* Of all threads, in microseconds. */
static double processor_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* --- the store --- */

static struct store_config config = { .mailboxes = 100,
	.depth = 10,
	.keywords = 100,
	.changes = 10000,
	.special_use = { "", "", "", "", "" } };

static void open_store(void)
{
	static const struct kv_lmdb_config kv_config = {
		.map_size = 1 << 20, .map_max = INT64_C(1) << 36, .group_updates = 100, .group_size = 1 << 25
	};
	static const struct ph_text_list domains;
	const struct store parts = { .kv = &kv_lmdb_service,
		.mime = &mime_service,
		.address = &address_service,
		.config = &config,
		.domains = &domains,
		.data_directory = directory };
	char path[sizeof(directory) + 8];

	snprintf(path, sizeof(path), "%s/store", directory);
	need(kv_lmdb_open(path, &kv_config, 16, NULL), "kv");
	need(store_open(&parts, NULL), "store");
}

static void close_store(void)
{
	store_close();
	kv_lmdb_close();
}

static void deliver(struct ph_str mailbox, uint32_t count)
{
	static const char text[] =
		"From: a@example.org\r\nTo: b@example.org\r\nSubject: bench\r\n\r\ntext\r\n";

	for (uint32_t i = 0; i < count; i++) {
		struct ph_draft *draft = st->draft_new();
		struct ph_destination to = { .account = account, .mailbox = mailbox };

		need(st->draft_write(draft, ph_str(text), NULL), "write");
		need(st->draft_finish(draft, NULL, NULL), "finish");
		need(st->deliver(SYSTEM, draft, 0, 0, &to, 1, NULL), "deliver");
		st->draft_free(&draft);
	}
}

static struct ph_mailbox *open_mailbox(struct ph_str name)
{
	struct ph_mailbox *mailbox;

	need(st->mailbox_open(SYSTEM, account, name, false, &mailbox, NULL), "open");
	return mailbox;
}

static void copy(struct ph_mailbox *mailbox, uint32_t count, struct ph_str to)
{
	struct ph_uid_set uids = { 0 };
	struct ph_copied copied;

	st->uid_set_add(&uids, 1, count);
	need(st->messages_copy(SYSTEM, mailbox, &uids, account, to, false, &copied, NULL), "copy");
	st->uid_set_free(&uids);
	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
}

/* A mailbox of `count` messages, which is a power of ten times 1,000. */
static void fill(struct ph_str name, uint32_t count)
{
	struct ph_mailbox *mailbox;

	need(st->mailbox_create(SYSTEM, account, name, 0, NULL), "create");
	need(st->mailbox_create(SYSTEM, account, PH_STR("copies"), 0, NULL), "create");
	deliver(name, sizes[0]);
	mailbox = open_mailbox(name);
	for (uint32_t there = sizes[0]; there < count; there *= 10) {
		for (int i = 0; i < 9; i++)
			copy(mailbox, there, name);
	}
	st->mailbox_close(&mailbox);
}

/* --- the work --- */

static struct ph_mailbox *mailbox;
static struct ph_str mailbox_name;
static uint64_t modseq;
static uint32_t size;

static void open_it(void)
{
	mailbox = open_mailbox(mailbox_name);
}

/* Anew, when the log of changes does not reach back to the mailbox's beginning. */
static void open_again(void)
{
	st->mailbox_close(&mailbox);
	open_it();
}

/* Makes the log forget. */
static void forget(void)
{
	const struct ph_flag_list flags = { .flags = PH_FLAG_FLAGGED };
	struct ph_uid_set uids = { 0 };

	config.changes = 1;
	st->uid_set_add(&uids, 2, 2);
	for (int i = 0; i < 2 * 10; i++)
		need(st->messages_flag(SYSTEM, mailbox, &uids, i % 2 ? PH_FLAGS_ADD : PH_FLAGS_REMOVE, &flags,
			     0, NULL, NULL),
			"flag");
	st->uid_set_free(&uids);
	config.changes = 10000;
}

static void list(void)
{
	struct ph_message_iterator *iterator = st->messages_begin(mailbox, NULL, 0);
	const struct ph_message *message;

	while (st->messages_next(iterator, &message))
		;
	need(st->messages_end(&iterator, NULL), "list");
}

static uint32_t changed_count(void)
{
	return size < CHANGED ? size : CHANGED;
}

static void flag(void)
{
	const struct ph_flag_list flags = { .flags = PH_FLAG_SEEN };
	struct ph_uid_set uids = { 0 };
	struct ph_mailbox_status status;

	st->mailbox_view_status(mailbox, &status);
	modseq = status.highest_modseq;
	st->uid_set_add(&uids, 1, changed_count());
	need(st->messages_flag(SYSTEM, mailbox, &uids, PH_FLAGS_ADD, &flags, 0, NULL, NULL), "flag");
	st->uid_set_free(&uids);
}

static void refresh(void)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_mailbox_news news;

	need(st->mailbox_refresh(mailbox, true, pool, &news, NULL), "refresh");
	ph_pool_free(&pool);
}

static void changes(void)
{
	struct ph_mailbox_changes found;

	need(st->mailbox_changes(mailbox, modseq, &found, NULL), "changes");
	st->uid_set_free(&found.changed);
	st->uid_set_free(&found.vanished);
}

static void copy_all(void)
{
	copy(mailbox, size, PH_STR("copies"));
}

static void expunge(void)
{
	struct ph_uid_set uids = { 0 };

	for (uint32_t uid = 1; uid <= size; uid += 2)
		st->uid_set_add(&uids, uid, uid);
	need(st->messages_expunge(SYSTEM, mailbox, &uids, true, NULL, NULL), "expunge");
	st->uid_set_free(&uids);
}

static const struct {
	const char *name;
	void (*work)(void);
	enum { ALL, HALF, SOME } of;
} tasks[] = {
	{ "open, the first time", open_it, ALL },
	{ "open, later", open_again, ALL },
	{ "list all flags", list, ALL },
	{ "change flags", flag, SOME },
	{ "refresh the view", refresh, SOME },
	{ "changes since a modseq", changes, SOME },
	{ "copy all", copy_all, ALL },
	{ "expunge every second", expunge, HALF },
	{ "refresh the view", refresh, HALF },
	{ "(forget the log)", forget, ALL },
	{ "open without the log", open_again, HALF },
	{ "changes without the log", changes, HALF },
};
enum { TASKS = sizeof(tasks) / sizeof(*tasks) };

static double costs[TASKS][SIZES];

static void measure(int which, bool first)
{
	for (int i = 0; i < TASKS; i++) {
		double began = processor_time(), cost;
		uint32_t count = tasks[i].of == ALL ? size : tasks[i].of == HALF ? size / 2 : changed_count();

		tasks[i].work();
		cost = (processor_time() - began) / count;
		if (first || cost < costs[i][which])
			costs[i][which] = cost;
	}
	st->mailbox_close(&mailbox);
}

static void run_round(int which, bool first)
{
	size = sizes[which];
	mailbox_name = PH_STR("bench");
	open_store();
	need(st->account_create(SYSTEM, PH_STR("bench@example.org"), PH_STR(""), &account, NULL), "account");
	fill(mailbox_name, size);
	close_store();
	open_store();
	measure(which, first);
	need(st->account_remove(SYSTEM, account, NULL), "remove");
	close_store();
}

static void run(void *arg)
{
	(void)arg;
	for (int i = 0; i < SIZES; i++) {
		for (int round = 0; round < ROUNDS; round++)
			run_round(i, round == 0);
	}
	ph_loop_break();
}

/* Is a message in the largest mailbox as cheap as in the smallest? */
static bool is_linear(const double *cost)
{
	return cost[SIZES - 1] <= MOST_RATIO * cost[0] || cost[SIZES - 1] <= TOO_FEW;
}

static bool report(void)
{
	bool linear = true;

	printf("microseconds of processor time for each message\n%-24s", "");
	for (int i = 0; i < SIZES; i++)
		printf("%10u", (unsigned)sizes[i]);
	printf("%10s\n", "ratio");
	for (int i = 0; i < TASKS; i++) {
		printf("%-24s", tasks[i].name);
		for (int k = 0; k < SIZES; k++)
			printf("%10.3f", costs[i][k]);
		printf("%10.2f%s\n", costs[i][SIZES - 1] / costs[i][0],
			is_linear(costs[i]) ? "" : "  too much");
		linear &= is_linear(costs[i]);
	}
	return linear;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

int main(void)
{
	const char *parent = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/posthorn-bench-XXXXXX", parent ? parent : "/tmp");
	if (!mkdtemp(directory)) {
		perror(directory);
		return EXIT_FAILURE;
	}
	ph_loop_init();
	ph_fiber_start("bench", run, NULL);
	ph_loop_run();
	ph_loop_free();
	nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return report() ? EXIT_SUCCESS : EXIT_FAILURE;
}
