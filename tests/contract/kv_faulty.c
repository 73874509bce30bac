/* Handles (transactions, cursors, drafts, blobs) are the inner kv's. Updates run on a thread of the inner
 * kv's choice, so what belongs to a running function is the thread's own. */
#include <config.h>

#include "kv_faulty.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/fiber.h>
#include <posthorn/list.h>
#include <posthorn/mem.h>

static const struct ph_kv_service *kv;
static struct ph_kv_service faulty;

/* --- the fault --- */

static atomic_uint armed_calls, left;
static atomic_int fault_code;

void kv_faulty_arm(unsigned calls, unsigned nth, int code)
{
	left = nth;
	fault_code = code;
	armed_calls = calls;
}

int kv_faulty_code(void)
{
	return fault_code;
}

bool kv_faulty_disarm(void)
{
	bool struck = armed_calls != 0 && left == 0;

	armed_calls = 0;
	return struck;
}

/* Is this call the one? */
static bool strikes(unsigned call)
{
	if (!(armed_calls & call) || left == 0)
		return false;
	return --left == 0;
}

static int fail(int code, struct ph_error *error)
{
	return ph_error_set(error, code, "a fault was asked for", NULL);
}

/* --- a running function --- */

struct shown {
	struct ph_list link;
	size_t size;
	char bytes[];
};

struct running {
	ph_kv_run *run;
	void *arg;
	unsigned call; /* what a call inside it counts as */
	bool rehearsal;
	int failure;
	struct ph_list shown;
};

static _Thread_local struct running *running;

static void spoil_shown(void)
{
	PH_LIST_EACH (&running->shown, node) {
		struct shown *shown = ph_container_of(node, struct shown, link);

		ph_list_remove(node);
		memset(shown->bytes, 0xdb, shown->size);
		free(shown);
	}
}

static void show(struct ph_str *text)
{
	struct shown *shown = ph_alloc(sizeof(*shown) + text->len);

	shown->size = text->len;
	if (text->len > 0)
		memcpy(shown->bytes, text->data, text->len);
	ph_list_append(&running->shown, &shown->link);
	text->data = shown->bytes;
}

/* After a call failed the update fails, whatever its function says, and also when it is run again. */
static int run_one(struct ph_kv_txn *txn, void *arg)
{
	struct running *before = running;
	int result;

	running = arg;
	ph_list_init(&running->shown);
	result = running->run(txn, running->arg);
	spoil_shown();
	if (running->failure)
		result = running->failure;
	else if (running->rehearsal)
		result = PH_E_STALE;
	running = before;
	return result;
}

static bool inside_fails(void)
{
	if (strikes(running->call))
		running->failure = fault_code;
	return running->failure != 0;
}

static int call_get(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str *value_r)
{
	int result = inside_fails() ? running->failure : kv->get(txn, partition, key, value_r);

	if (result == 0)
		show(value_r);
	return result;
}

static int call_put(struct ph_kv_txn *txn, size_t partition, struct ph_str key, struct ph_str value)
{
	int result = inside_fails() ? running->failure : kv->put(txn, partition, key, value);

	spoil_shown();
	return result;
}

static int call_del(struct ph_kv_txn *txn, size_t partition, struct ph_str key)
{
	int result = inside_fails() ? running->failure : kv->del(txn, partition, key);

	spoil_shown();
	return result;
}

static int show_both(int result, struct ph_str *key_r, struct ph_str *value_r)
{
	if (result == 0) {
		show(key_r);
		show(value_r);
	}
	return result;
}

static int call_seek(
	struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r)
{
	return show_both(
		inside_fails() ? running->failure : kv->seek(cursor, key, key_r, value_r), key_r, value_r);
}

static int call_seek_last(
	struct ph_kv_cursor *cursor, struct ph_str key, struct ph_str *key_r, struct ph_str *value_r)
{
	return show_both(inside_fails() ? running->failure : kv->seek_last(cursor, key, key_r, value_r),
		key_r, value_r);
}

static int call_next(struct ph_kv_cursor *cursor, struct ph_str *key_r, struct ph_str *value_r)
{
	return show_both(
		inside_fails() ? running->failure : kv->next(cursor, key_r, value_r), key_r, value_r);
}

static int call_add_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id)
{
	return inside_fails() ? running->failure : kv->blob_add_reference(txn, id);
}

static int call_drop_reference(struct ph_kv_txn *txn, struct ph_kv_blob_id id)
{
	return inside_fails() ? running->failure : kv->blob_drop_reference(txn, id);
}

/* --- updates and reads --- */

static int call_update(const struct ph_kv_partition *partitions, size_t count,
	struct ph_kv_draft *const *drafts, size_t draft_count, ph_kv_run *run, void *arg,
	struct ph_error *error)
{
	struct running rehearsal = { .run = run, .arg = arg, .rehearsal = true };
	struct running real = { .run = run, .arg = arg, .call = FAULTY_INSIDE };
	int result;

	ph_fiber_yield();
	if (strikes(FAULTY_UPDATE))
		return fail(fault_code, error);
	kv->update(partitions, count, drafts, draft_count, run_one, &rehearsal, NULL);
	result = kv->update(partitions, count, drafts, draft_count, run_one, &real, error);
	if (result == 0 && strikes(FAULTY_CONFIRM))
		return fail(PH_E_UNAVAILABLE, error);
	return result;
}

static int call_read(const struct ph_kv_partition *partitions, size_t count, ph_kv_run *run, void *arg,
	struct ph_error *error)
{
	struct running rehearsal = { .run = run, .arg = arg, .rehearsal = true };
	struct running real = { .run = run, .arg = arg, .call = FAULTY_READ };

	ph_fiber_yield();
	if (strikes(FAULTY_READ))
		return fail(fault_code, error);
	kv->read(partitions, count, run_one, &rehearsal, NULL);
	return kv->read(partitions, count, run_one, &real, error);
}

/* --- blobs --- */

static int call_draft_write(struct ph_kv_draft *draft, struct ph_str bytes, struct ph_error *error)
{
	return strikes(FAULTY_DRAFT) ? fail(fault_code, error) : kv->draft_write(draft, bytes, error);
}

static int call_draft_view(
	struct ph_kv_draft *draft, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error)
{
	return strikes(FAULTY_DRAFT) ? fail(fault_code, error)
				     : kv->draft_view(draft, offset, bytes_r, error);
}

static int call_blob_open(struct ph_kv_blob_id id, struct ph_kv_blob **blob_r, struct ph_error *error)
{
	ph_fiber_yield();
	return strikes(FAULTY_BLOB) ? fail(fault_code, error) : kv->blob_open(id, blob_r, error);
}

static int call_blob_view(
	struct ph_kv_blob *blob, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error)
{
	ph_fiber_yield();
	return strikes(FAULTY_BLOB) ? fail(fault_code, error) : kv->blob_view(blob, offset, bytes_r, error);
}

const struct ph_kv_service *kv_faulty(const struct ph_kv_service *inner)
{
	kv = inner;
	faulty = *inner;
	faulty.update = call_update;
	faulty.read = call_read;
	faulty.get = call_get;
	faulty.put = call_put;
	faulty.del = call_del;
	faulty.seek = call_seek;
	faulty.seek_last = call_seek_last;
	faulty.next = call_next;
	faulty.blob_add_reference = call_add_reference;
	faulty.blob_drop_reference = call_drop_reference;
	faulty.draft_write = call_draft_write;
	faulty.draft_view = call_draft_view;
	faulty.blob_open = call_blob_open;
	faulty.blob_view = call_blob_view;
	return &faulty;
}
