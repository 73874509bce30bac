/* The mailbox is opened for reading only, so that a POP3 session leaves no traces (such as \Recent) in it
 * unless it ends with QUIT; only then it is opened for writing. */
#include <config.h>

#include "maildrop.h"

#include <stdlib.h>

/* Fills the list from the view. */
static int list_messages(struct maildrop *maildrop, struct ph_error *error)
{
	const struct ph_store_service *store = maildrop->store;
	const struct ph_message *message;
	uint32_t room = store->view_count(maildrop->mailbox);

	maildrop->messages = ph_alloc_array(room ? room : 1, sizeof(*maildrop->messages));
	struct ph_message_iterator *messages = store->messages_begin(maildrop->mailbox, NULL, 0);
	while (maildrop->count < room && store->messages_next(messages, &message)) {
		maildrop->messages[maildrop->count++] =
			(struct maildrop_message){ .size = message->size, .uid = message->uid };
		maildrop->kept_size += message->size;
	}
	maildrop->kept = maildrop->count;
	return store->messages_end(&messages, error);
}

static uint32_t validity_of(const struct ph_store_service *store, const struct ph_mailbox *mailbox)
{
	struct ph_mailbox_status status;
	store->mailbox_view_status(mailbox, &status);
	return status.uid_validity;
}

int maildrop_open(struct maildrop *maildrop, const struct ph_store_service *store, struct ph_actor actor,
	struct ph_str mailbox, struct ph_error *error)
{
	int code = store->maildrop_lock(actor, actor.account, error);
	if (code < 0)
		return code;
	*maildrop = (struct maildrop){ .store = store, .actor = actor };
	code = store->mailbox_open(actor, actor.account, mailbox, true, &maildrop->mailbox, error);
	if (code < 0) {
		store->maildrop_unlock(actor, actor.account);
		*maildrop = (struct maildrop){ 0 };
		return code;
	}
	maildrop->name = ph_str_dup(mailbox);
	maildrop->uid_validity = validity_of(store, maildrop->mailbox);
	code = list_messages(maildrop, error);
	if (code < 0)
		maildrop_close(maildrop);
	return code;
}

void maildrop_close(struct maildrop *maildrop)
{
	if (!maildrop->mailbox)
		return;
	maildrop->store->mailbox_close(&maildrop->mailbox);
	maildrop->store->maildrop_unlock(maildrop->actor, maildrop->actor.account);
	free(maildrop->messages);
	free(maildrop->name);
	*maildrop = (struct maildrop){ 0 };
}

struct maildrop_message *maildrop_message(const struct maildrop *maildrop, uint64_t number)
{
	if (number < 1 || number > maildrop->count || maildrop->messages[number - 1].deleted)
		return NULL;
	return &maildrop->messages[number - 1];
}

void maildrop_delete(struct maildrop *maildrop, struct maildrop_message *message)
{
	message->deleted = true;
	maildrop->kept--;
	maildrop->kept_size -= message->size;
}

void maildrop_undelete_all(struct maildrop *maildrop)
{
	for (uint32_t i = 0; i < maildrop->count; i++) {
		if (maildrop->messages[i].deleted)
			maildrop->kept_size += maildrop->messages[i].size;
		maildrop->messages[i].deleted = false;
	}
	maildrop->kept = maildrop->count;
}

int maildrop_read(const struct maildrop *maildrop, const struct maildrop_message *message,
	struct ph_message_bytes **bytes_r, struct ph_error *error)
{
	const struct ph_store_service *store = maildrop->store;
	struct ph_uid_set one = { 0 };
	const struct ph_message *found;
	int code = PH_E_ABSENT;

	store->uid_set_add(&one, message->uid, message->uid);
	struct ph_message_iterator *messages = store->messages_begin(maildrop->mailbox, &one, 0);
	if (store->messages_next(messages, &found))
		code = store->message_open(maildrop->mailbox, found, bytes_r, error);
	else
		ph_error_set(error, code, "the message was removed by another client", NULL);
	int ended = store->messages_end(&messages, code == PH_E_ABSENT ? error : NULL);
	store->uid_set_free(&one);
	return code == PH_E_ABSENT && ended < 0 ? ended : code;
}

static bool was_retrieved(const struct maildrop_message *message)
{
	return message->retrieved && !message->deleted;
}

static bool is_deleted(const struct maildrop_message *message)
{
	return message->deleted;
}

static struct ph_uid_set uids_of(
	const struct maildrop *maildrop, bool (*wanted)(const struct maildrop_message *))
{
	struct ph_uid_set set = { 0 };
	for (uint32_t i = 0; i < maildrop->count; i++)
		if (wanted(&maildrop->messages[i]))
			maildrop->store->uid_set_add(
				&set, maildrop->messages[i].uid, maildrop->messages[i].uid);
	return set;
}

/* May park: makes the changes in the mailbox, opened anew for writing. */
static int change(const struct maildrop *maildrop, const struct ph_uid_set *deleted,
	const struct ph_uid_set *seen, struct ph_error *error)
{
	const struct ph_store_service *store = maildrop->store;
	const struct ph_flag_list flags = { .flags = PH_FLAG_SEEN };
	struct ph_mailbox *mailbox;
	int code = store->mailbox_open(
		maildrop->actor, maildrop->actor.account, ph_str(maildrop->name), false, &mailbox, error);
	if (code < 0)
		return code;
	if (validity_of(store, mailbox) != maildrop->uid_validity)
		code = ph_error_set(error, PH_E_STALE, "the mailbox was replaced by another", NULL);
	if (code == 0 && deleted->count)
		code = store->messages_expunge(maildrop->actor, mailbox, deleted, true, NULL, error);
	if (code == 0 && seen->count)
		code = store->messages_flag(
			maildrop->actor, mailbox, seen, PH_FLAGS_ADD, &flags, 0, NULL, error);
	store->mailbox_close(&mailbox);
	return code;
}

int maildrop_commit(const struct maildrop *maildrop, bool mark_seen, struct ph_error *error)
{
	struct ph_uid_set deleted = uids_of(maildrop, is_deleted);
	struct ph_uid_set seen = { 0 };
	int code = 0;
	if (mark_seen)
		seen = uids_of(maildrop, was_retrieved);
	if (deleted.count || seen.count)
		code = change(maildrop, &deleted, &seen, error);
	maildrop->store->uid_set_free(&deleted);
	maildrop->store->uid_set_free(&seen);
	return code;
}
