/* Each message's summary and bytes. Read in steps; what went meanwhile is no fault. A summary that cannot be
 * read is made anew from the bytes. */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>

#include <posthorn/buf.h>
#include <posthorn/fiber.h>
#include <posthorn/mem.h>
#include <posthorn/tool.h>

#include "../change.h"
#include "../message.h"
#include "check.h"

#define STEP 200

struct item {
	uint32_t uid;
	uint64_t size;
	struct ph_kv_blob_id blob;
	bool bad_summary;
};

struct walk {
	struct check *check;
	uint64_t mailbox;
	uint32_t next;
	struct item items[STEP];
	size_t count;
	struct fault_list faults;
};

static bool is_bad_summary(struct ph_kv_txn *txn, uint32_t uid)
{
	struct ph_mime_message message;
	struct ph_str summary;
	struct key key;

	return store.kv->get(txn, 0, key_32(&key, 's', uid), &summary) == 0 && summary.len > 0 &&
	       store.mime->summary_view(summary, &message) < 0;
}

static int read_some(struct ph_kv_txn *txn, void *arg)
{
	struct walk *walk = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct message_record record;
	uint32_t uid = walk->next;
	int result;

	for (walk->count = 0; walk->count < STEP;) {
		result = next_message(cursor, NULL, uid, &uid, &record);
		if (result == 0)
			walk->items[walk->count++] =
				(struct item){ uid, record.size, record.blob, is_bad_summary(txn, uid) };
		else if (result != PH_E_CORRUPT)
			return result == PH_E_ABSENT ? 0 : result;
		uid++;
	}
	return 0;
}

struct finding {
	const struct item *item;
	struct ph_str summary;
};

static int find(struct ph_kv_txn *txn, void *arg)
{
	const struct finding *finding = arg;
	struct message_record record;
	struct ph_str value;
	struct key key;
	int result = store.kv->get(txn, 0, key_32(&key, 'u', finding->item->uid), &value);

	return result < 0 ? result : message_record_decode(value, &record);
}

static int put_summary(struct ph_kv_txn *txn, void *arg)
{
	const struct finding *finding = arg;
	struct key key;
	int result = find(txn, arg);

	if (result < 0)
		return result;
	return store.kv->put(txn, 0, key_32(&key, 's', finding->item->uid), finding->summary);
}

/* Reads all bytes; shows them to `parser`, if there is one. */
static int read_bytes(struct ph_kv_blob *blob, struct ph_mime_parser *parser, struct ph_error *error)
{
	struct ph_str bytes;
	uint64_t offset = 0;

	for (;;) {
		int result = store.kv->blob_view(blob, offset, &bytes, error);

		if (result < 0 || bytes.len == 0)
			return result;
		if (parser)
			store.mime->parser_feed(parser, bytes);
		offset += bytes.len;
	}
}

static int make_summary(struct walk *walk, const struct item *item, struct ph_kv_blob *blob)
{
	struct ph_mime_parser *parser = store.mime->parser_new(NULL);
	struct finding finding = { .item = item };
	struct ph_error error = { 0 };
	struct ph_buf summary;
	int result = read_bytes(blob, parser, &error);

	ph_buf_init(&summary, SUMMARY_MAX);
	store.mime->summary_encode(store.mime->parser_finish(parser), &summary);
	if (summary.failed)
		ph_buf_reset(&summary);
	finding.summary = ph_buf_str(&summary);
	if (result == 0)
		result = store_update(mailbox_partition(walk->mailbox), put_summary, &finding, &error);
	ph_buf_free(&summary);
	store.mime->parser_free(&parser);
	return result;
}

static void check_summary(struct walk *walk, const struct item *item, struct ph_kv_blob *blob)
{
	if (!item->bad_summary)
		return;
	fault_add(&walk->faults, item->uid, "its summary cannot be read");
	walk->faults.items[walk->faults.count - 1].repaired =
		walk->check->repair && make_summary(walk, item, blob) == 0;
}

static void check_one(struct walk *walk, const struct item *item)
{
	struct ph_error error = { 0 };
	struct ph_kv_blob *blob;
	int result = store.kv->blob_open(item->blob, &blob, &error);

	if (result < 0) {
		fault_add(&walk->faults, item->uid, "its bytes are lost (%s)", ph_code_name(result));
		return;
	}
	if (store.kv->blob_size(blob) != item->size)
		fault_add(&walk->faults, item->uid, "it should have %" PRIu64 " bytes, and has %" PRIu64,
			item->size, store.kv->blob_size(blob));
	if (!walk->check->quick)
		result = read_bytes(blob, NULL, &error);
	if (result < 0)
		fault_add(&walk->faults, item->uid, "its bytes cannot be read (%s)", ph_code_name(result));
	else
		check_summary(walk, item, blob);
	store.kv->blob_close(&blob);
}

/* A message that went meanwhile takes its faults along. */
static void report(struct walk *walk, const struct item *item)
{
	struct finding finding = { .item = item };
	struct ph_error error;

	if (walk->faults.count == 0)
		return;
	if (store_read(mailbox_partition(walk->mailbox), find, &finding, &error) == 0) {
		for (size_t i = 0; i < walk->faults.count; i++)
			check_report(walk->check, &walk->faults.items[i]);
	}
	walk->faults.count = 0;
}

int check_messages(struct check *check, uint64_t mailbox, struct ph_error *error)
{
	struct walk *walk = ph_alloc(sizeof(*walk));
	int result;

	walk->check = check;
	walk->mailbox = mailbox;
	walk->next = 1;
	do {
		result = store_read(mailbox_partition(mailbox), read_some, walk, error);
		for (size_t i = 0; result == 0 && i < walk->count; i++) {
			check_one(walk, &walk->items[i]);
			report(walk, &walk->items[i]);
			check->messages++;
			walk->next = walk->items[i].uid + 1;
		}
		ph_progress(check->address, check->messages, check->messages_total);
		ph_fiber_yield();
	} while (result == 0 && walk->count == STEP);
	free(walk->faults.items);
	free(walk);
	return result;
}
