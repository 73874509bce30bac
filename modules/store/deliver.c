/* Delivery: one draft to all its destinations. Each destination is found by name first; whether the mailbox
 * is still there is asked again inside the transaction. A destination that is not there does not keep the
 * others from getting the message. Where the kv changes one partition at a time, the bytes are durable with
 * the first. */
#include <config.h>

#include <stdlib.h>

#include <posthorn/loop.h>
#include <posthorn/mem.h>

#include "keyword.h"
#include "mailbox.h"
#include "message.h"
#include "thread.h"
#include "usage.h"

struct delivery {
	const struct ph_draft *draft;
	int64_t internal_date;
	int32_t internal_zone;
	struct ph_destination *destinations;
	struct ph_kv_partition *partitions; /* the mailbox of each destination, then the account of each */
	size_t count;
	struct thread
		thread; /* of the message; where the kv changes one partition at a time, it has joined */
};

static int append(struct change *change, const struct delivery *delivery, const struct ph_flag_list *flags,
	uint32_t *uid_r)
{
	struct keyword_list keywords = { 0 };
	struct message_record record = {
		.flags = flags->flags,
		.internal_zone = delivery->internal_zone,
		.internal_date = delivery->internal_date,
		.size = draft_size(delivery->draft),
		.blob = store.kv->draft_id(draft_blob(delivery->draft)),
		.thread = delivery->thread,
	};
	const struct usage usage = { (int64_t)record.size, 1 };
	int result = 0;

	/* What is the destination's own trouble shows before anything is written. */
	if (change->meta.uid_next == UINT32_MAX)
		return PH_E_LIMIT;
	if (change->account != 0)
		result = usage_check(change->txn, change->account, &usage);
	if (result < 0)
		return result;
	result = keywords_find(change, flags->keywords, flags->keyword_count, true, &keywords);
	record.keywords = keywords.bytes;
	record.keyword_count = keywords.count;
	if (result == 0)
		result = change_append(change, &record, draft_summary(delivery->draft), uid_r);
	keyword_list_free(&keywords);
	return result;
}

/* Is this the destination's own trouble, so that the others go on? */
static bool is_own_trouble(int code)
{
	return code == PH_E_ABSENT || code == PH_E_LIMIT || code == PH_E_QUOTA || code == PH_E_INVALID;
}

static int deliver_one(struct ph_kv_txn *txn, const struct delivery *delivery, size_t index)
{
	struct ph_destination *destination = &delivery->destinations[index];
	struct change change;
	int result = change_begin(&change, txn, index);

	if (result == 0) {
		change.account = usage_partition(delivery->count + index);
		result = append(&change, delivery, &destination->flags, &destination->uid);
		destination->uid_validity = change.meta.uid_validity;
		result = change_end(&change, result);
	}
	destination->result = result;
	return is_own_trouble(result) ? 0 : result;
}

static int deliver_all(struct ph_kv_txn *txn, void *arg)
{
	const struct delivery *delivery = arg;
	int result = 0;

	for (size_t i = 0; i < delivery->count && result == 0; i++) {
		if (delivery->partitions[i].number != 0)
			result = deliver_one(txn, delivery, i);
	}
	return result;
}

/* One update; a failure of the kv is everybody's. */
static int update(const struct delivery *delivery, struct ph_error *error)
{
	struct ph_kv_draft *blob = draft_blob(delivery->draft);
	int result = store.kv->update(delivery->partitions,
		store.kv->atomic_partitions ? 2 * delivery->count : delivery->count, &blob, 1, deliver_all,
		(void *)(uintptr_t)delivery, error);

	for (size_t i = 0; i < delivery->count && result < 0; i++) {
		if (delivery->partitions[i].number != 0)
			delivery->destinations[i].result = result;
	}
	return result;
}

static void update_one(struct delivery *one, struct ph_error *error)
{
	struct ph_destination *destination = one->destinations;
	const struct usage usage = { (int64_t)draft_size(one->draft), 1 };
	struct thread_list threads = { &one->thread, 1, 1 };

	destination->result = usage_reserve(destination->account, &usage, true, error);
	if (destination->result < 0)
		return;
	destination->result = threads_join(destination->account, &threads, false, error);
	if (destination->result < 0) {
		usage_release(destination->account, &usage);
		return;
	}
	update(one, error);
	if (destination->result < 0) {
		threads_withdraw(destination->account, &threads, destination->result);
		usage_withdraw(destination->account, &usage, destination->result);
	}
}

static void update_each(const struct delivery *all, struct ph_error *error)
{
	for (size_t i = 0; i < all->count; i++) {
		struct delivery one = *all;

		one.destinations += i;
		one.partitions += i;
		one.count = 1;
		if (one.partitions->number != 0)
			update_one(&one, error);
	}
}

static void find_mailbox(
	struct ph_actor actor, const struct delivery *delivery, size_t index, struct ph_error *error)
{
	struct ph_destination *destination = &delivery->destinations[index];
	struct mailbox_record record;
	struct ph_error own;
	int result = mailbox_find(actor, destination->account, destination->mailbox, &record, &own);

	if (result == PH_E_ABSENT && destination->create) {
		result = mailbox_create(actor, destination->account, destination->mailbox, 0, &own);
		if (result == 0 || result == PH_E_EXISTS)
			result = mailbox_find(
				actor, destination->account, destination->mailbox, &record, &own);
	}
	if (result < 0 && !is_own_trouble(result) && error)
		*error = own;
	destination->result = result;
	delivery->partitions[index] = mailbox_partition(result == 0 ? record.number : 0);
	delivery->partitions[delivery->count + index] = account_partition(destination->account);
}

/* The code of the first that failed; what the kv said of it is in *error, unless another one failed
 * otherwise. */
static int sum_up(const struct delivery *delivery, struct ph_error *error)
{
	int result = 0;

	for (size_t i = 0; i < delivery->count && result == 0; i++)
		result = delivery->destinations[i].result;
	if (result == 0 || is_own_trouble(result))
		return store_explain(result, "mailbox", error);
	if (error && error->code != result)
		ph_error_set(error, result, "the message cannot be stored now", NULL);
	return result;
}

int store_deliver(struct ph_actor actor, struct ph_draft *draft, int64_t internal_date, int32_t internal_zone,
	struct ph_destination *destinations, size_t count, struct ph_error *error)
{
	struct delivery delivery = {
		.draft = draft,
		.internal_date = internal_date ? internal_date : ph_clock(),
		.internal_zone = internal_zone,
		.destinations = destinations,
		.count = count,
	};
	int result;

	if (error)
		error->code = 0;
	result = draft_finish(draft, NULL, error);
	for (size_t i = 0; i < count && result < 0; i++)
		destinations[i].result = result;
	if (result < 0)
		return result;
	delivery.thread = *draft_thread(draft);
	delivery.partitions = ph_alloc_array(2 * count, sizeof(*delivery.partitions));
	for (size_t i = 0; i < count; i++)
		find_mailbox(actor, &delivery, i, error);
	if (store.kv->atomic_partitions)
		update(&delivery, error);
	else
		update_each(&delivery, error);
	free(delivery.partitions);
	return sum_up(&delivery, error);
}
