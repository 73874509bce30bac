/* The service's table, and the calls on an open mailbox, where its actor's rights and what it was opened for
 * are checked. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>

#include "account.h"
#include "check/losses.h"
#include "mailbox.h"
#include "maildrop.h"
#include "message.h"
#include "message_bytes.h"
#include "remove.h"
#include "session.h"
#include "thread.h"
#include "uid_set.h"
#include "usage.h"

static uint32_t count(const struct ph_mailbox *mailbox)
{
	return mailbox->view.count;
}

static uint32_t uid(const struct ph_mailbox *mailbox, uint32_t sequence)
{
	return view_uid(&mailbox->view, sequence);
}

static uint32_t sequence(const struct ph_mailbox *mailbox, uint32_t uid_)
{
	return view_sequence(&mailbox->view, uid_);
}

static uint32_t last_uid(const struct ph_mailbox *mailbox)
{
	return view_uid(&mailbox->view, mailbox->view.count);
}

static void uids(const struct ph_mailbox *mailbox, uint32_t first, uint32_t last, struct ph_uid_set *set)
{
	view_uids(&mailbox->view, first, last, set);
}

/* The bytes are the message: whoever shares them is a copy. */
static void message_email_id(const struct ph_message *message, char id_r[PH_EMAIL_ID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *to = id_r;

	*to++ = 'E';
	for (size_t i = 0; i < sizeof(message->blob.bytes); i++) {
		*to++ = digits[message->blob.bytes[i] >> 4];
		*to++ = digits[message->blob.bytes[i] & 15];
	}
	*to = '\0';
}

static bool message_thread_id(const struct ph_message *message, char id_r[PH_THREAD_ID_SIZE])
{
	snprintf(id_r, PH_THREAD_ID_SIZE, "T%016" PRIx64, message->thread);
	return message->thread != 0;
}

/* May the messages of the open mailbox be changed by this actor? */
static int check_change(struct ph_actor actor, const struct ph_mailbox *mailbox)
{
	if (!store_may_use(actor, mailbox_account(mailbox->number)))
		return PH_E_ABSENT;
	return mailbox->read_only ? PH_E_DENIED : 0;
}

static int messages_flag(struct ph_actor actor, struct ph_mailbox *mailbox, const struct ph_uid_set *uids_,
	enum ph_flag_operation operation, const struct ph_flag_list *flags, uint64_t unchanged_since,
	struct ph_uid_set *modified_r, struct ph_error *error)
{
	int result = check_change(actor, mailbox);

	if (result == 0)
		result = flag_messages(
			mailbox->number, uids_, operation, flags, unchanged_since, modified_r, error);
	if (result == PH_E_INVALID)
		return ph_error_set(error, result, "not a legal keyword", NULL);
	return store_explain(result, "mailbox", error);
}

static int messages_expunge(struct ph_actor actor, struct ph_mailbox *mailbox, const struct ph_uid_set *uids_,
	bool any, struct ph_uid_set *expunged_r, struct ph_error *error)
{
	int result = check_change(actor, mailbox);

	if (result == 0)
		result = expunge_messages(mailbox->number, uids_, any, expunged_r, error);
	return store_explain(result, "mailbox", error);
}

static int messages_copy(struct ph_actor actor, struct ph_mailbox *mailbox, const struct ph_uid_set *uids_,
	ph_account_id account, struct ph_str target, bool move, struct ph_copied *copied_r,
	struct ph_error *error)
{
	struct copying copying = { .source = mailbox->number, .uids = uids_, .move = move };
	struct mailbox_record record;
	int result = store_may_use(actor, mailbox_account(mailbox->number)) ? 0 : PH_E_ABSENT;

	*copied_r = (struct ph_copied){ 0 };
	if (result == 0 && move && mailbox->read_only)
		result = PH_E_DENIED;
	if (result == 0)
		result = mailbox_find(actor, account, target, &record, error);
	if (result == 0) {
		copying.target = record.number;
		result = copy_messages(&copying, copied_r, error);
	}
	if (result < 0) {
		uid_set_free(&copied_r->source);
		uid_set_free(&copied_r->target);
	}
	return store_explain(result, "mailbox", error);
}

const struct ph_store_service store_service = {
	.account_create = account_create,
	.account_find = account_find,
	.account_set_password = account_set_password,
	.account_remove = account_remove,
	.account_list = account_list,
	.account_quota = account_quota,
	.account_set_quota = account_set_quota,
	.domain_is_local = account_domain_is_local,
	.mailbox_list = mailbox_list,
	.mailbox_create = mailbox_create,
	.mailbox_delete = mailbox_delete,
	.mailbox_rename = mailbox_rename,
	.mailbox_subscribe = mailbox_subscribe,
	.mailbox_status = mailbox_status,
	.mailbox_open = mailbox_open,
	.mailbox_close = mailbox_close,
	.mailbox_view_status = mailbox_view_status,
	.mailbox_keywords = mailbox_keywords,
	.mailbox_refresh = mailbox_refresh,
	.mailbox_changes = mailbox_changes,
	.mailbox_watch = mailbox_watch,
	.view_count = count,
	.view_uid = uid,
	.view_sequence = sequence,
	.view_last_uid = last_uid,
	.view_uids = uids,
	.messages_begin = messages_begin,
	.messages_next = messages_next,
	.messages_end = messages_end,
	.messages_flagged = messages_flagged,
	.message_email_id = message_email_id,
	.message_thread_id = message_thread_id,
	.message_open = message_open,
	.message_size = message_size,
	.message_view = message_view,
	.message_check = message_check,
	.message_close = message_close,
	.messages_flag = messages_flag,
	.messages_expunge = messages_expunge,
	.messages_copy = messages_copy,
	.draft_new = draft_new,
	.draft_write = draft_write,
	.draft_size = draft_size,
	.draft_finish = draft_finish,
	.draft_view = draft_view,
	.draft_source = draft_source,
	.draft_free = draft_free,
	.deliver = store_deliver,
	.maildrop_lock = maildrop_lock,
	.maildrop_unlock = maildrop_unlock,
	.uid_set_add = uid_set_add,
	.uid_set_has = uid_set_has,
	.uid_set_count = uid_set_count,
	.uid_set_add_rest = uid_set_add_rest,
	.uid_set_free = uid_set_free,
};

int store_open(const struct store *parts, struct ph_error *error)
{
	int result;

	store = *parts;
	result = maildrop_open(error);
	if (result == 0)
		result = thread_open(error);
	if (result == 0)
		result = remove_resume(error);
	if (result < 0)
		maildrop_close();
	else
		losses_log();
	return result;
}

void store_close(void)
{
	remove_stop();
	maildrop_close();
}
