/* Step j of a worker stores blob j under key j, or, each fourth, deletes what step j - 3 stored. Its number
 * of steps is under the key "steps". */
#include <config.h>

#include "work.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/bytes.h>
#include <posthorn/fiber.h>
#include <posthorn/mem.h>

#define TRIES 50

struct worker {
	const struct ph_kv_service *kv;
	unsigned number, steps;
	bool may_fail;
	unsigned failures;
	struct group *group;
};

struct group {
	unsigned running;
	struct ph_signal ended;
};

struct step {
	const struct ph_kv_service *kv;
	unsigned number;
	struct ph_kv_blob_id blob;
};

static struct work_progress progress;
static void (*noted)(void);

void work_on_progress(void (*noted_)(void))
{
	noted = noted_;
}

void work_reset(void)
{
	progress = (struct work_progress){ 0 };
}

struct work_progress work_progress(void)
{
	return progress;
}

static bool is_delete(unsigned step)
{
	return step % 4 == 3;
}

static size_t blob_size(unsigned worker, unsigned step)
{
	static const size_t sizes[] = { 100, 3000, 0, 20000, 700, 70000, 1, 9000, 300000, 40, 5000 };

	return sizes[(worker * 3 + step) % (sizeof(sizes) / sizeof(*sizes))];
}

static char byte_at(unsigned worker, unsigned step, size_t i)
{
	return (char)(worker * 57 + step * 31 + i * 7 + i / 253);
}

static struct ph_str number_key(char bytes[static 4], unsigned number)
{
	ph_bytes_put32(bytes, number);
	return ph_str_of(bytes, 4);
}

/* --- doing --- */

static int put_step(struct ph_kv_txn *txn, const struct step *step, size_t partition)
{
	const struct ph_kv_service *kv = step->kv;
	char key[4], steps[4];
	int rc;

	if (is_delete(step->number))
		rc = kv->del(txn, partition, number_key(key, step->number - 3));
	else
		rc = kv->put(txn, partition, number_key(key, step->number),
			ph_str_of(step->blob.bytes, sizeof(step->blob.bytes)));
	ph_bytes_put32(steps, step->number + 1);
	return rc ? rc : kv->put(txn, partition, PH_STR("steps"), ph_str_of(steps, 4));
}

static int run_step(struct ph_kv_txn *txn, void *arg)
{
	struct step *step = arg;
	struct ph_kv_blob_id old;
	struct ph_str value;
	char key[4];
	int rc = 0;

	if (is_delete(step->number)) {
		rc = step->kv->get(txn, 0, number_key(key, step->number - 3), &value);
		if (rc)
			return rc;
		memcpy(&old, value.data, sizeof(old));
		rc = step->kv->blob_drop_reference(txn, old);
	} else {
		rc = step->kv->blob_add_reference(txn, step->blob);
	}
	if (!rc)
		rc = put_step(txn, step, 0);
	return rc ? rc : put_step(txn, step, 1);
}

static int fill_draft(const struct worker *worker, struct ph_kv_draft *draft, unsigned step)
{
	size_t size = blob_size(worker->number, step);
	char *bytes = ph_alloc(size + 1);
	int rc;

	for (size_t i = 0; i < size; i++)
		bytes[i] = byte_at(worker->number, step, i);
	rc = worker->kv->draft_write(draft, ph_str_of(bytes, size), NULL);
	free(bytes);
	return rc;
}

static void partitions_of(unsigned worker, struct ph_kv_partition *partitions)
{
	partitions[0] = (struct ph_kv_partition){ 1, worker };
	partitions[1] = (struct ph_kv_partition){ 2, worker };
}

static int do_step(const struct worker *worker, unsigned number)
{
	struct ph_kv_draft *draft = worker->kv->draft_new();
	struct step step = { worker->kv, number, worker->kv->draft_id(draft) };
	struct ph_kv_partition partitions[2];
	int rc = is_delete(number) ? 0 : fill_draft(worker, draft, number);

	partitions_of(worker->number, partitions);
	if (!rc)
		rc = worker->kv->update(
			partitions, 2, &draft, is_delete(number) ? 0 : 1, run_step, &step, NULL);
	worker->kv->draft_free(&draft);
	return rc;
}

static void note(void)
{
	if (noted)
		noted();
}

static void run_worker(void *arg)
{
	struct worker *worker = arg;

	for (unsigned i = 0; i < worker->steps; i++) {
		unsigned number = progress.durable[worker->number], tries = 0;

		progress.begun[worker->number] = number + 1;
		note();
		while (do_step(worker, number) != 0) {
			ck_assert(worker->may_fail && ++tries < TRIES);
			worker->failures++;
		}
		progress.durable[worker->number] = number + 1;
		note();
	}
	worker->group->running--;
	ph_signal_all(&worker->group->ended);
}

unsigned work_run(const struct ph_kv_service *kv, unsigned steps, bool may_fail)
{
	struct group group = { .running = WORKERS };
	struct worker workers[WORKERS];
	unsigned failures = 0;

	ph_signal_init(&group.ended);
	for (unsigned i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){ kv, i, steps, may_fail, 0, &group };
		ph_fiber_start("worker", run_worker, &workers[i]);
	}
	while (group.running > 0)
		ph_signal_wait(&group.ended, PH_FOREVER);
	for (unsigned i = 0; i < WORKERS; i++)
		failures += workers[i].failures;
	return failures;
}

/* --- checking --- */

struct look {
	const struct ph_kv_service *kv;
	unsigned steps, keys;
	unsigned step[512];
	struct ph_kv_blob_id blob[512];
};

static unsigned read_partition(struct ph_kv_txn *txn, struct look *look, size_t partition)
{
	struct ph_kv_cursor *cursor = look->kv->cursor(txn, partition);
	struct ph_str key, value;
	unsigned keys = 0;
	int rc;

	look->steps = 0;
	for (rc = look->kv->seek(cursor, PH_STR(""), &key, &value); rc == 0;
		rc = look->kv->next(cursor, &key, &value)) {
		if (key.len == 4) {
			ck_assert_uint_lt(keys, 512);
			look->step[keys] = ph_bytes_get32(key.data);
			memcpy(&look->blob[keys++], value.data, sizeof(look->blob[0]));
		} else {
			look->steps = ph_bytes_get32(value.data);
		}
	}
	return keys;
}

static int read_worker(struct ph_kv_txn *txn, void *arg)
{
	struct look *look = arg, *other = ph_alloc(sizeof(*other));
	unsigned keys;

	look->keys = read_partition(txn, look, 0);
	other->kv = look->kv;
	keys = read_partition(txn, other, 1);
	ck_assert_uint_eq(look->keys, keys);
	ck_assert_uint_eq(look->steps, other->steps);
	ck_assert_int_eq(memcmp(look->step, other->step, keys * sizeof(*look->step)), 0);
	ck_assert_int_eq(memcmp(look->blob, other->blob, keys * sizeof(*look->blob)), 0);
	free(other);
	return 0;
}

static void check_blob(
	const struct ph_kv_service *kv, unsigned worker, unsigned step, struct ph_kv_blob_id id)
{
	struct ph_kv_blob *blob;
	struct ph_str bytes;
	bool same = true;
	uint64_t size = blob_size(worker, step);

	ck_assert_int_eq(kv->blob_open(id, &blob, NULL), 0);
	ck_assert_uint_eq(kv->blob_size(blob), size);
	for (uint64_t at = 0; at < size; at += bytes.len) {
		ck_assert_int_eq(kv->blob_view(blob, at, &bytes, NULL), 0);
		ck_assert_uint_gt(bytes.len, 0);
		for (size_t i = 0; i < bytes.len; i++)
			same &= bytes.data[i] == byte_at(worker, step, (size_t)at + i);
	}
	ck_assert(same);
	kv->blob_close(&blob);
}

static bool is_there(unsigned step, unsigned steps)
{
	return step < steps && !is_delete(step) && !(step % 4 == 0 && step + 3 < steps);
}

void work_check(const struct ph_kv_service *kv, const struct work_progress *expected)
{
	for (unsigned worker = 0; worker < WORKERS; worker++) {
		struct look *look = ph_alloc(sizeof(*look));
		struct ph_kv_partition partitions[2];
		unsigned next = 0;

		look->kv = kv;
		partitions_of(worker, partitions);
		ck_assert_int_eq(kv->read(partitions, 2, read_worker, look, NULL), 0);
		ck_assert_uint_ge(look->steps, expected->durable[worker]);
		ck_assert_uint_le(look->steps, expected->begun[worker]);
		for (unsigned step = 0; step < look->steps; step++) {
			if (!is_there(step, look->steps))
				continue;
			ck_assert_uint_lt(next, look->keys);
			ck_assert_uint_eq(look->step[next], step);
			check_blob(kv, worker, step, look->blob[next++]);
		}
		ck_assert_uint_eq(next, look->keys);
		free(look);
	}
}
