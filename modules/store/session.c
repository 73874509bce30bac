/* Opening a mailbox and bringing its view up to date.
 *
 * A new view is all UIDs but those that are gone. Later it is as of a modseq. Nothing changed: one value is
 * read. Something did: the log of changes since that modseq is read. The log does not reach back so far, or
 * what is gone is not known: all messages are read, in pieces, and then the log from where that began, until
 * nothing is new any more. */
#include <config.h>

#include "session.h"

#include <stdlib.h>

#include <posthorn/fiber.h>
#include <posthorn/mem.h>

#include "change.h"
#include "keyword.h"
#include "mailbox.h"
#include "uid_set.h"

/* Messages read at once. */
#define STEP 5000

/* What is found to have changed since the view's modseq. */
struct findings {
	struct ph_mailbox *mailbox;
	struct meta meta;
	struct ph_uid_set flagged;
	struct ph_uid_set expunged;
	struct ph_uid_set present; /* after a full reading */
	uint32_t next;             /* the UID a full reading goes on with */
	bool full, more;
};

static void free_findings(struct findings *findings)
{
	uid_set_free(&findings->flagged);
	uid_set_free(&findings->expunged);
	uid_set_free(&findings->present);
}

/* --- finding --- */

static int read_keyword(struct ph_kv_txn *txn, struct ph_mailbox *mailbox)
{
	struct ph_str name;
	int result = keyword_name(txn, 0, (uint16_t)mailbox->keyword_count, &name);

	if (result < 0)
		return result == PH_E_ABSENT ? PH_E_CORRUPT : result;
	if (mailbox->keyword_count == mailbox->keyword_capacity) {
		mailbox->keyword_capacity = mailbox->keyword_capacity * 2 + 8;
		mailbox->keywords = ph_realloc_array(
			mailbox->keywords, mailbox->keyword_capacity, sizeof(*mailbox->keywords));
	}
	if (!mailbox->pool)
		mailbox->pool = ph_pool_new(0);
	mailbox->keywords[mailbox->keyword_count++] = ph_pool_str(mailbox->pool, name);
	return 0;
}

/* All is new. */
static int find_all(struct ph_kv_txn *txn, struct findings *findings)
{
	int result;

	findings->expunged.count = 0;
	result = uid_index_read(txn, 0, INDEX_GONE, &findings->meta, &findings->expunged);
	findings->full = result == PH_E_CORRUPT;
	if (findings->full)
		findings->expunged.count = 0;
	return findings->full ? 0 : result;
}

static int find_changes(struct ph_kv_txn *txn, void *arg)
{
	struct findings *findings = arg;
	struct ph_mailbox *mailbox = findings->mailbox;
	int result = meta_get(txn, 0, &findings->meta);

	while (result == 0 && mailbox->keyword_count < findings->meta.keywords)
		result = read_keyword(txn, mailbox);
	if (result < 0 || findings->meta.highest_modseq == mailbox->meta.highest_modseq)
		return result;
	if (mailbox->meta.highest_modseq == 0)
		return find_all(txn, findings);
	findings->full = mailbox->meta.highest_modseq < findings->meta.log_from;
	if (findings->full)
		return 0;
	return read_log(txn, 0, mailbox->meta.highest_modseq, &findings->flagged, &findings->expunged);
}

static int find_present(struct ph_kv_txn *txn, void *arg)
{
	struct findings *findings = arg;
	struct ph_kv_cursor *cursor = store.kv->cursor(txn, 0);
	struct message_record record;
	uint32_t uid;
	int result = 0;

	for (int i = 0; i < STEP && result == 0; i++) {
		result = next_message(cursor, NULL, findings->next, &uid, &record);
		if (result == 0 && uid >= findings->meta.uid_next)
			result = PH_E_ABSENT;
		if (result < 0)
			break;
		uid_set_add(&findings->present, uid, uid);
		if (record.modseq > findings->mailbox->meta.highest_modseq)
			uid_set_add(&findings->flagged, uid, uid);
		findings->next = uid + 1;
	}
	findings->more = result == 0;
	return result == PH_E_ABSENT ? 0 : result;
}

/* Reads all messages, up to the UIDNEXT the findings have. */
static int read_all(struct findings *findings, struct ph_error *error)
{
	int result;

	for (findings->next = 1;;) {
		result = store_read(
			mailbox_partition(findings->mailbox->number), find_present, findings, error);
		if (result < 0 || !findings->more)
			return result;
		ph_fiber_yield();
	}
}

/* --- \Recent: whoever opens or refreshes first, able to write, gets them --- */

struct recent {
	bool claim;
	uint32_t first, last;
};

static int get_recent(struct ph_kv_txn *txn, void *arg)
{
	struct recent *recent = arg;
	struct change change;
	int result = change_begin(&change, txn, 0);

	if (result < 0)
		return result;
	recent->first = change.meta.recent_from;
	recent->last = change.meta.uid_next - 1;
	if (recent->claim && recent->first <= recent->last) {
		change.meta.recent_from = change.meta.uid_next;
		change.meta.recent = 0;
		change.meta_changed = true;
	}
	return change_end(&change, 0);
}

static int read_recent(struct ph_kv_txn *txn, void *arg)
{
	struct recent *recent = arg;
	struct meta meta;
	int result = meta_get(txn, 0, &meta);

	recent->first = meta.recent_from;
	recent->last = meta.uid_next - 1;
	return result;
}

/* A mailbox can be read also when nothing can be written: the messages are \Recent here, and again for the
 * next (RFC 3501, 2.3.2: where it is not known who is first). */
static int find_recent(struct ph_mailbox *mailbox, struct ph_error *error)
{
	struct recent recent = { .claim = !mailbox->read_only };
	struct ph_kv_partition partition = mailbox_partition(mailbox->number);
	int result = store_read(partition, read_recent, &recent, error);

	if (result == 0 && recent.claim && recent.first <= recent.last)
		(void)store_update(partition, get_recent, &recent, NULL);
	if (result == 0)
		uid_set_add(&mailbox->recent, recent.first, recent.last);
	return result;
}

/* How many of the view. */
static uint32_t count_recent(const struct ph_mailbox *mailbox)
{
	uint32_t count = 0;

	for (size_t i = 0; i < mailbox->recent.count; i++)
		count += view_rank(&mailbox->view, mailbox->recent.ranges[i].last) -
			 view_rank(&mailbox->view, mailbox->recent.ranges[i].first - 1);
	return count;
}

/* --- the view --- */

/* Takes over what was found: new messages come into the view, those that went are noted. Adds to *changed the
 * messages that were there before and changed. */
static void apply(struct ph_mailbox *mailbox, struct findings *findings, struct ph_uid_set *changed)
{
	struct ph_uid_set arrived = { 0 }, stayed = { 0 };

	if (findings->full) {
		uid_set_add_rest(&findings->expunged, &mailbox->view.uids, &findings->present);
		uid_set_add_all(&arrived, &findings->present);
	} else if (findings->meta.uid_next > mailbox->meta.uid_next) {
		struct ph_uid_set given = { 0 };

		uid_set_add(&given, mailbox->meta.uid_next, findings->meta.uid_next - 1);
		uid_set_add_rest(&arrived, &given, &findings->expunged);
		uid_set_free(&given);
	}
	uid_set_add_common(&mailbox->expunged, &mailbox->view.uids, &findings->expunged);
	uid_set_add_common(&stayed, &mailbox->view.uids, &findings->flagged);
	uid_set_add_rest(changed, &stayed, &mailbox->expunged);
	if (arrived.count > 0)
		view_add(&mailbox->view, &arrived);
	mailbox->meta = findings->meta;
	uid_set_free(&arrived);
	uid_set_free(&stayed);
}

/* One look at what changed. 1: the view may be behind again already. */
static int catch_up(struct ph_mailbox *mailbox, struct ph_uid_set *changed, struct ph_error *error)
{
	struct findings findings = { .mailbox = mailbox };
	int result = store_read(mailbox_partition(mailbox->number), find_changes, &findings, error);

	if (result == 0 && findings.full)
		result = read_all(&findings, error);
	if (result == 0) {
		apply(mailbox, &findings, changed);
		result = findings.full;
	}
	free_findings(&findings);
	return result;
}

/* Without the messages of `changed` that are new in this refresh, or went behind it. */
static int update_view(struct ph_mailbox *mailbox, struct ph_uid_set *changed, struct ph_error *error)
{
	uint32_t uid_next = mailbox->meta.uid_next;
	int result;

	do {
		result = catch_up(mailbox, changed, error);
	} while (result > 0);
	if (result == 0 && mailbox->meta.uid_next > uid_next)
		result = find_recent(mailbox, error);
	return result;
}

static uint32_t *number_expunged(const struct ph_mailbox *mailbox, struct ph_pool *pool)
{
	const struct ph_uid_set *expunged = &mailbox->expunged;
	uint32_t *numbers = ph_pool_array(pool, (size_t)uid_set_count(expunged), sizeof(*numbers));
	uint32_t gone = 0;

	for (size_t i = 0; numbers && i < expunged->count; i++) {
		uint32_t first = view_sequence(&mailbox->view, expunged->ranges[i].first) - gone;

		/* Those of one range were neighbours: each takes the number of the one before it. */
		for (uint32_t uid = expunged->ranges[i].first; uid <= expunged->ranges[i].last; uid++)
			numbers[gone++] = first;
	}
	return numbers;
}

static int pool_set(struct ph_uid_set *set, const struct ph_uid_set *from, struct ph_pool *pool)
{
	*set = (struct ph_uid_set){ .count = from->count, .capacity = from->count };
	set->ranges = ph_pool_array(pool, from->count, sizeof(*set->ranges));
	if (!set->ranges)
		return PH_E_LIMIT;
	if (from->count > 0)
		memcpy(set->ranges, from->ranges, from->count * sizeof(*set->ranges));
	return 0;
}

static int tell_expunged(struct ph_mailbox *mailbox, struct ph_pool *pool, struct ph_mailbox_news *news_r)
{
	int result = pool_set(&news_r->expunged_uids, &mailbox->expunged, pool);

	news_r->expunged = number_expunged(mailbox, pool);
	if (result < 0 || !news_r->expunged)
		return PH_E_LIMIT;
	news_r->expunged_count = (size_t)uid_set_count(&mailbox->expunged);
	view_remove(&mailbox->view, &mailbox->expunged);
	uid_set_free(&mailbox->expunged);
	return 0;
}

/* The changed ones that the session knew before, and that are there still. */
static int tell_changed(const struct ph_mailbox *mailbox, uint32_t uid_next, const struct ph_uid_set *changed,
	struct ph_pool *pool, struct ph_mailbox_news *news_r)
{
	struct ph_uid_set known = { 0 }, before = { 0 }, there = { 0 };
	int result;

	if (uid_next > 1)
		uid_set_add(&before, 1, uid_next - 1);
	uid_set_add_common(&known, changed, &before);
	uid_set_add_rest(&there, &known, &mailbox->expunged);
	result = pool_set(&news_r->changed, &there, pool);
	uid_set_free(&known);
	uid_set_free(&before);
	uid_set_free(&there);
	return result;
}

int mailbox_refresh(struct ph_mailbox *mailbox, bool expunges, struct ph_pool *pool,
	struct ph_mailbox_news *news_r, struct ph_error *error)
{
	struct ph_uid_set changed = { 0 };
	uint32_t uid_next = mailbox->meta.uid_next;
	size_t keywords = mailbox->keyword_count;
	int result = mailbox->gone ? PH_E_ABSENT : update_view(mailbox, &changed, error);

	*news_r = (struct ph_mailbox_news){ 0 };
	if (result == PH_E_ABSENT) {
		mailbox->gone = true;
		result = 0;
	}
	if (result == 0 && changed.count > 0)
		result = tell_changed(mailbox, uid_next, &changed, pool, news_r);
	if (result == 0 && expunges && mailbox->expunged.count > 0)
		result = tell_expunged(mailbox, pool, news_r);
	uid_set_free(&changed);
	news_r->exists = mailbox->view.count;
	news_r->exists_changed = mailbox->meta.uid_next != uid_next;
	news_r->recent = mailbox->recent.count > 0 ? count_recent(mailbox) : 0;
	news_r->keywords_changed = mailbox->keyword_count != keywords;
	news_r->gone = mailbox->gone;
	return store_explain(result, "mailbox", error);
}

void mailbox_close(struct ph_mailbox **mailbox)
{
	struct ph_mailbox *open = *mailbox;

	if (!open)
		return;
	store.kv->unwatch(&open->watch);
	view_free(&open->view);
	uid_set_free(&open->expunged);
	uid_set_free(&open->recent);
	ph_pool_free(&open->pool);
	free(open->keywords);
	free(open);
	*mailbox = NULL;
}

int mailbox_open(struct ph_actor actor, ph_account_id account, struct ph_str name, bool read_only,
	struct ph_mailbox **mailbox_r, struct ph_error *error)
{
	struct mailbox_record record;
	struct ph_uid_set changed = { 0 };
	struct ph_mailbox *mailbox;
	int result = mailbox_find(actor, account, name, &record, error);

	*mailbox_r = NULL;
	if (result < 0)
		return result;
	mailbox = ph_alloc(sizeof(*mailbox));
	mailbox->number = record.number;
	mailbox->read_only = read_only;
	mailbox->pool = ph_pool_new(0);
	mailbox->meta.uid_next = 1; /* an empty view: all messages are still to come */
	result = update_view(mailbox, &changed, error);
	uid_set_free(&changed);
	view_remove(&mailbox->view, &mailbox->expunged);
	uid_set_free(&mailbox->expunged);
	if (result < 0)
		mailbox_close(&mailbox);
	*mailbox_r = mailbox;
	return store_explain(result, "mailbox", error);
}

void mailbox_view_status(const struct ph_mailbox *mailbox, struct ph_mailbox_status *status_r)
{
	mailbox_status_fill(mailbox->number, &mailbox->meta, status_r);
	status_r->messages = mailbox->view.count;
	status_r->recent = count_recent(mailbox);
}

void mailbox_keywords(const struct ph_mailbox *mailbox, const struct ph_str **keywords_r, size_t *count_r)
{
	*keywords_r = mailbox->keywords;
	*count_r = mailbox->keyword_count;
}

void mailbox_watch(struct ph_mailbox *mailbox, void (*changed)(void *arg), void *arg)
{
	store.kv->unwatch(&mailbox->watch);
	if (changed)
		mailbox->watch = store.kv->watch(mailbox_partition(mailbox->number), changed, arg);
}
