/* The contract of "kv/1", held by kv_memory in both its kinds; and what is its own: its bound. */
#include <config.h>

#include <posthorn/mem.h>

#include "../../modules/kv_memory/kv_memory.h"
#include "../unit/fiber_main.h"
#include "kv.h"

#define MB (INT64_C(1) << 20)

static const struct ph_kv_service *const kv = &kv_memory_service;
static const struct ph_kv_partition partition = { 1, 1 };

static int open_atomic(const char *directory, struct ph_error *error)
{
	(void)directory, (void)error;
	kv_memory_open(&(struct kv_memory_config){ .atomic_partitions = true, .size = 256 * MB });
	return 0;
}

static int open_single(const char *directory, struct ph_error *error)
{
	(void)directory, (void)error;
	kv_memory_open(&(struct kv_memory_config){ .atomic_partitions = false, .size = 256 * MB });
	return 0;
}

static const struct kv_provider atomic = {
	.name = "kv_memory", .service = &kv_memory_service, .open = open_atomic, .close = kv_memory_close
};
static const struct kv_provider single = {
	.name = "kv_memory, one partition at a time",
	.service = &kv_memory_service,
	.open = open_single,
	.close = kv_memory_close,
};

/* --- no room --- */

static int put_value(struct ph_kv_txn *txn, void *arg)
{
	const struct ph_str *value = arg;

	/* Whatever it says itself. */
	(void)kv->put(txn, 0, PH_STR("key"), *value);
	return 0;
}

static int delete_value(struct ph_kv_txn *txn, void *arg)
{
	(void)arg;
	return kv->del(txn, 0, PH_STR("key"));
}

static int expect_value(struct ph_kv_txn *txn, void *arg)
{
	const struct ph_str *expected = arg;
	struct ph_str value;

	ck_assert_int_eq(kv->get(txn, 0, PH_STR("key"), &value), 0);
	ck_assert(ph_str_eq(value, *expected));
	return 0;
}

START_TEST(a_full_one_refuses_and_recovers)
{
	char *bytes = ph_alloc(MB);
	struct ph_str half = ph_str_of(bytes, MB / 2), whole = ph_str_of(bytes, MB);
	struct ph_kv_draft *draft;
	struct ph_error error = { 0 };

	kv_memory_open(&(struct kv_memory_config){ .atomic_partitions = true, .size = MB });
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(kv->update(&partition, 1, NULL, 0, put_value, &half, NULL), 0);
		ck_assert_int_eq(kv->update(&partition, 1, NULL, 0, put_value, &whole, &error), PH_E_FULL);
		ck_assert_int_eq(error.code, PH_E_FULL);
		ck_assert_int_eq(kv->read(&partition, 1, expect_value, &half, NULL), 0);
		ck_assert_int_eq(kv->update(&partition, 1, NULL, 0, delete_value, NULL, NULL), 0);
	}
	/* Messages leave some room, and one that was cut stays refused. */
	draft = kv->draft_new();
	ck_assert_int_eq(kv->draft_write(draft, half, NULL), 0);
	ck_assert_int_eq(kv->draft_write(draft, half, &error), PH_E_FULL);
	ck_assert_int_eq(kv->draft_write(draft, PH_STR("more"), NULL), PH_E_FULL);
	kv->draft_free(&draft);
	draft = kv->draft_new();
	ck_assert_int_eq(kv->draft_write(draft, half, NULL), 0);
	kv->draft_free(&draft);
	kv_memory_close();
	free(bytes);
}
END_TEST

int main(void)
{
	Suite *suite = kv_contract(&atomic);
	TCase *tests = tcase_create("room");

	tcase_add_test(tests, a_full_one_refuses_and_recovers);
	suite_add_tcase(suite, tests);
	return fiber_main(suite) | fiber_main(kv_contract(&single)) |
	       fiber_main(kv_faulty_contract(&atomic)) | fiber_main(kv_faulty_contract(&single));
}
