/* From sequence sets to the messages of the selected mailbox. */
#include "session.h"

/* Numbers beyond the mailbox are an error (RFC 3501, 9, seq-number). But "1:*" is how clients ask for
 * everything, also of an empty mailbox: there "*" is no message at all. */
static bool resolve_sequences(
	const struct ph_mailbox *mailbox, struct sequence_set *set, struct ph_uid_set *uids_r)
{
	uint32_t count = store->view_count(mailbox);

	if (count == 0)
		return sequence_set_has_star(set);
	sequence_set_resolve(set, count);
	if (set->ranges[set->count - 1].last > count)
		return false;
	for (size_t i = 0; i < set->count; i++)
		store->view_uids(mailbox, set->ranges[i].first, set->ranges[i].last, uids_r);
	return true;
}

/* UIDs that do not exist are no error (RFC 3501, 6.4.8). */
static void resolve_uids(
	const struct ph_mailbox *mailbox, struct sequence_set *set, struct ph_uid_set *uids_r)
{
	uint32_t last = store->view_last_uid(mailbox);

	if (last == 0)
		return;
	sequence_set_resolve(set, last);
	for (size_t i = 0; i < set->count && set->ranges[i].first <= last; i++)
		store->uid_set_add(uids_r, set->ranges[i].first,
			set->ranges[i].last < last ? set->ranges[i].last : last);
}

bool resolve_set(
	const struct ph_mailbox *mailbox, struct sequence_set *set, bool uid, struct ph_uid_set *uids_r)
{
	if (!uid)
		return resolve_sequences(mailbox, set, uids_r);
	resolve_uids(mailbox, set, uids_r);
	return true;
}

bool check_messages(struct call *call)
{
	if (!parse_space(&call->parser) || !parse_sequence_set(&call->parser, &call->set))
		return reply_parse_error(call);
	if (!resolve_set(call->session->mailbox, &call->set, call->uid, &call->uids)) {
		reply_bad(call, "The mailbox has fewer messages");
		return false;
	}
	return true;
}

bool check_writable(struct call *call)
{
	if (!call->session->read_only)
		return true;
	reply_no(call, "[READ-ONLY] The mailbox is open for reading only");
	return false;
}
