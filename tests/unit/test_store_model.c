/* Thousands of random operations on two mailboxes, by several sessions, compared with a naive model after
 * each. */
#include <config.h>

#include <inttypes.h>

#include "store_fixture.h"

#define MESSAGES_MAX 4000
#define SESSIONS 3

struct model_message {
	uint32_t uid;
	unsigned flags;
	bool keyword;
	size_t size;
};

/* What a mailbox should be. */
struct model {
	const char *name;
	struct model_message messages[MESSAGES_MAX];
	size_t count;
	uint32_t uid_next;
	uint32_t claimed_to; /* from this UID on nobody was told of a message as \Recent */
	uint64_t modseq;     /* the highest seen */
};

/* What a session has been told, response by response. */
struct session {
	struct model *model;
	struct ph_mailbox *mailbox;
	uint32_t uids[MESSAGES_MAX];
	uint32_t count;
	bool changed[MESSAGES_MAX]; /* by UID: somebody changed it since it was told */
};

static struct model models[2];
static struct session sessions[SESSIONS];
static uint64_t seed;

static const char text[] = "Subject: model\r\n\r\n"
			   "0123456789012345678901234567890123456789012345678901234567890123456789\r\n";
static const struct ph_str keyword = PH_STR_INIT("Keyword");

static uint32_t any(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

/* --- the model --- */

static void model_append(struct model *model, unsigned flags, bool keyword_, size_t size)
{
	ck_assert_uint_lt(model->uid_next, MESSAGES_MAX);
	model->messages[model->count++] = (struct model_message){ model->uid_next++, flags, keyword_, size };
}

static void note_change(const struct model *model, uint32_t uid)
{
	for (int i = 0; i < SESSIONS; i++) {
		if (sessions[i].model == model)
			sessions[i].changed[uid] = true;
	}
}

static void model_flag(struct model *model, const struct ph_uid_set *set, enum ph_flag_operation operation,
	unsigned flags, bool keyword_)
{
	for (size_t i = 0; i < model->count; i++) {
		struct model_message *message = &model->messages[i];
		struct model_message before = *message;

		if (!st->uid_set_has(set, message->uid))
			continue;
		if (operation == PH_FLAGS_REPLACE) {
			message->flags = flags;
			message->keyword = keyword_;
		} else if (operation == PH_FLAGS_ADD) {
			message->flags |= flags;
			message->keyword |= keyword_;
		} else {
			message->flags &= ~flags;
			message->keyword &= !keyword_;
		}
		if (before.flags != message->flags || before.keyword != message->keyword)
			note_change(model, message->uid);
	}
}

static void model_expunge(struct model *model, const struct ph_uid_set *set, bool only_deleted)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->count; i++) {
		struct model_message *message = &model->messages[i];

		if ((set && !st->uid_set_has(set, message->uid)) ||
			(only_deleted && !(message->flags & PH_FLAG_DELETED)))
			model->messages[kept++] = *message;
	}
	model->count = kept;
}

static void check_status(struct model *model)
{
	struct ph_mailbox_status status = status_of(fixture.alice, model->name);
	uint32_t unseen = 0, deleted = 0, recent = 0;
	uint64_t size = 0;

	for (size_t i = 0; i < model->count; i++) {
		unseen += !(model->messages[i].flags & PH_FLAG_SEEN);
		deleted += (model->messages[i].flags & PH_FLAG_DELETED) != 0;
		recent += model->messages[i].uid >= model->claimed_to;
		size += model->messages[i].size;
	}
	ck_assert_uint_eq(status.messages, model->count);
	ck_assert_uint_eq(status.unseen, unseen);
	ck_assert_uint_eq(status.deleted, deleted);
	ck_assert_uint_eq(status.recent, recent);
	ck_assert_uint_eq(status.size, size);
	ck_assert_uint_eq(status.uid_next, model->uid_next);
	ck_assert_uint_ge(status.highest_modseq, model->modseq);
	model->modseq = status.highest_modseq;
}

static const struct model_message *model_find(const struct model *model, uint32_t uid)
{
	for (size_t i = 0; i < model->count; i++) {
		if (model->messages[i].uid == uid)
			return &model->messages[i];
	}
	return NULL;
}

/* --- a session --- */

static void check_messages(const struct session *session)
{
	struct ph_message_iterator *iterator = st->messages_begin(session->mailbox, NULL, 0);
	const struct ph_message *message;
	uint32_t seen = 0, expected = 0;

	while (st->messages_next(iterator, &message)) {
		const struct model_message *model = model_find(session->model, message->uid);

		ck_assert_ptr_nonnull(model);
		ck_assert_uint_eq(message->flags, model->flags);
		ck_assert_uint_eq(message->keyword_count, model->keyword);
		ck_assert_uint_eq(message->size, model->size);
		seen++;
	}
	ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
	for (uint32_t i = 0; i < session->count; i++)
		expected += model_find(session->model, session->uids[i]) != NULL;
	ck_assert_uint_eq(seen, expected);
}

static void check_view(const struct session *session)
{
	ck_assert_uint_eq(st->view_count(session->mailbox), session->count);
	for (uint32_t i = 0; i < session->count; i++) {
		ck_assert_uint_eq(st->view_uid(session->mailbox, i + 1), session->uids[i]);
		ck_assert_uint_eq(st->view_sequence(session->mailbox, session->uids[i]), i + 1);
	}
}

/* As a client does with EXPUNGE and EXISTS responses. */
static void take_expunged(struct session *session, const struct ph_mailbox_news *news)
{
	for (size_t i = 0; i < news->expunged_count; i++) {
		uint32_t at = news->expunged[i];

		ck_assert(at >= 1 && at <= session->count);
		ck_assert(st->uid_set_has(&news->expunged_uids, session->uids[at - 1]));
		ck_assert_ptr_null(model_find(session->model, session->uids[at - 1]));
		memmove(&session->uids[at - 1], &session->uids[at],
			(session->count - at) * sizeof(*session->uids));
		session->count--;
	}
}

static void take_new(struct session *session, const struct ph_mailbox_news *news)
{
	ck_assert_uint_ge(news->exists, session->count);
	ck_assert(news->exists_changed || news->exists == session->count);
	while (session->count < news->exists) {
		session->uids[session->count] = st->view_uid(session->mailbox, session->count + 1);
		session->changed[session->uids[session->count]] = false;
		session->count++;
	}
}

/* Told of exactly those that changed, are there, and were known. */
static void take_changed(struct session *session, const struct ph_mailbox_news *news, uint32_t known)
{
	for (uint32_t i = 0; i < known; i++) {
		uint32_t uid = session->uids[i];
		bool told = st->uid_set_has(&news->changed, uid);

		if (model_find(session->model, uid))
			ck_assert_msg(told == session->changed[uid], "UID %" PRIu32 ": told %d, changed %d",
				uid, told, session->changed[uid]);
		else
			ck_assert(!told);
		session->changed[uid] = false;
	}
}

static void refresh(struct session *session, bool expunges)
{
	struct ph_mailbox_news news;
	uint32_t known = session->count;

	ck_assert_int_eq(st->mailbox_refresh(session->mailbox, expunges, fixture.pool, &news, NULL), 0);
	ck_assert(!news.gone);
	ck_assert(expunges || news.expunged_count == 0);
	take_changed(session, &news, known);
	take_expunged(session, &news);
	take_new(session, &news);
	if (news.exists_changed)
		session->model->claimed_to = session->model->uid_next;
	if (expunges) {
		ck_assert_uint_eq(session->count, session->model->count);
		for (uint32_t i = 0; i < session->count; i++)
			ck_assert_uint_eq(session->uids[i], session->model->messages[i].uid);
	}
	check_view(session);
	check_messages(session);
	ph_pool_clear(fixture.pool);
}

static void open_session(struct session *session)
{
	struct model *model = &models[any(2)];

	st->mailbox_close(&session->mailbox);
	*session = (struct session){ .model = model,
		.mailbox = open_mailbox(fixture.alice, model->name, false) };
	model->claimed_to = model->uid_next;
	session->count = st->view_count(session->mailbox);
	for (uint32_t i = 0; i < session->count; i++)
		session->uids[i] = st->view_uid(session->mailbox, i + 1);
	ck_assert_uint_eq(session->count, model->count);
	check_messages(session);
}

/* --- operations --- */

/* Some UIDs, of which some are not (or no longer) there. */
static struct ph_uid_set some_uids(const struct model *model)
{
	struct ph_uid_set set = { 0 };

	for (uint32_t i = 0; i < 1 + any(4); i++) {
		uint32_t first = 1 + any(model->uid_next);

		st->uid_set_add(&set, first, first + any(6));
	}
	return set;
}

static void append(struct session *session)
{
	struct ph_flag_list flags = { any(32), &keyword, any(2) };
	size_t size = 20 + any(60);

	deliver_flagged(fixture.alice, session->model->name, ph_str_of(text, size), flags);
	model_append(session->model, flags.flags, flags.keyword_count > 0, size);
}

static void flag(struct session *session)
{
	struct ph_uid_set set = some_uids(session->model);
	struct ph_flag_list flags = { any(32), &keyword, any(2) };
	enum ph_flag_operation operation = (enum ph_flag_operation)any(3);

	ck_assert_int_eq(
		st->messages_flag(SYSTEM, session->mailbox, &set, operation, &flags, 0, NULL, NULL), 0);
	model_flag(session->model, &set, operation, flags.flags, flags.keyword_count > 0);
	st->uid_set_free(&set);
}

static void expunge(struct session *session)
{
	struct ph_uid_set set = some_uids(session->model);
	bool any_flags = any(2), all = !any_flags && any(3) == 0;

	ck_assert_int_eq(
		st->messages_expunge(SYSTEM, session->mailbox, all ? NULL : &set, any_flags, NULL, NULL), 0);
	model_expunge(session->model, all ? NULL : &set, !any_flags);
	st->uid_set_free(&set);
}

static void copy(struct session *session)
{
	struct ph_uid_set set = some_uids(session->model);
	struct model *source = session->model, *target = &models[any(2)];
	bool move = any(2);
	size_t count = source->count;
	struct ph_copied copied;
	uint32_t uid_next = target->uid_next;

	ck_assert_int_eq(st->messages_copy(SYSTEM, session->mailbox, &set, fixture.alice,
				 ph_str(target->name), move, &copied, NULL),
		0);
	for (size_t i = 0; i < count; i++) {
		struct model_message message = source->messages[i];

		if (st->uid_set_has(&set, message.uid))
			model_append(target, message.flags, message.keyword, message.size);
	}
	ck_assert_uint_eq(st->uid_set_count(&copied.target), target->uid_next - uid_next);
	ck_assert_uint_eq(st->uid_set_count(&copied.source), target->uid_next - uid_next);
	if (move)
		model_expunge(source, &copied.source, false);
	st->uid_set_free(&set);
	st->uid_set_free(&copied.source);
	st->uid_set_free(&copied.target);
}

static void operate(struct session *session)
{
	switch (any(12)) {
	case 0:
	case 1:
	case 2:
		append(session);
		break;
	case 3:
	case 4:
		flag(session);
		break;
	case 5:
		expunge(session);
		break;
	case 6:
		if (session->model->count < 100)
			copy(session);
		break;
	case 7:
		open_session(session);
		break;
	default:
		refresh(session, any(2));
		break;
	}
}

/* With a log of changes that is long enough, that is mostly too short, and with one partition to an update.
 */
START_TEST(random_operations)
{
	fixture.config.changes = _i == 1 ? 3 : 1000;
	use_atomic_partitions(_i != 2);
	seed = (uint64_t)_i + 1;
	for (int i = 0; i < 2; i++) {
		models[i] = (struct model){ .name = i ? "Junk" : "INBOX", .uid_next = 1, .claimed_to = 1 };
	}
	for (int i = 0; i < SESSIONS; i++)
		open_session(&sessions[i]);
	for (int i = 0; i < 700; i++) {
		operate(&sessions[any(SESSIONS)]);
		check_status(&models[0]);
		check_status(&models[1]);
	}
	for (int i = 0; i < SESSIONS; i++) {
		refresh(&sessions[i], true);
		st->mailbox_close(&sessions[i].mailbox);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("store model");
	TCase *tests = tcase_create("model");

	tcase_set_timeout(tests, 0);
	tcase_add_checked_fixture(tests, setup_store, teardown_store);
	tcase_add_loop_test(tests, random_operations, 0, 3);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return store_main(make_suite);
}
