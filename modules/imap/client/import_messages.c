/* The messages of one mailbox of another server. It is opened with EXAMINE, so that nothing changes there.
 * First all UIDs are asked for; of those that are new, some at a time: first flags and dates, then the texts.
 * What a server does not give so is asked for once more, alone. */
#include "import.h"

#include <posthorn/loop.h>
#include <posthorn/tool.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* BATCH: messages at a time; TEXTS: bytes of them, as far as the server tells the truth. MESSAGES_MAX: in a
 * mailbox. UID_RESPONSE: bytes of a response that tells a UID. */
enum { BATCH = 64, TEXTS = 8 << 20, MESSAGES_MAX = 20000000, UID_RESPONSE = 200 };

struct item {
	uint32_t uid;
	bool known;   /* flags and date came */
	bool is_null; /* the server says that there is no text */
	struct response_fetch fetch;
	struct ph_draft *draft;
};

struct source {
	struct client *client;
	struct ph_import *import;
	const struct import_mailbox *mailbox;
	const char *server;
	uint32_t uid_validity, uid_next, exists;
	bool not_lasting; /* UIDs are new in each session */
	uint32_t *uids;   /* all there are, ascending */
	size_t count, capacity;
	struct ph_import_mailbox *target;
	struct ph_pool *pool; /* of the batch */
	struct item items[BATCH];
	size_t item_count;
	struct ph_draft *draft; /* the text that is coming */
	char refusal[512];      /* why the server did not give a message */
};

/* --- opening it --- */

static uint32_t number_of(struct ph_str text)
{
	uint64_t number;

	return ph_str_number(text, UINT32_MAX, &number) ? (uint32_t)number : 0;
}

static int take_examined(void *arg, const struct response *response, struct ph_error *error)
{
	struct source *source = arg;

	(void)error;
	if (response->kind == RESPONSE_EXISTS)
		source->exists = response->number;
	if (response->kind != RESPONSE_CONDITION)
		return 0;
	if (ph_str_case_eq(response->code, PH_STR("UIDVALIDITY")))
		source->uid_validity = number_of(response->code_argument);
	else if (ph_str_case_eq(response->code, PH_STR("UIDNEXT")))
		source->uid_next = number_of(response->code_argument);
	else if (ph_str_case_eq(response->code, PH_STR("UIDNOTSTICKY")))
		source->not_lasting = true;
	return 0;
}

/* PH_E_DENIED: it was refused. */
static int examine(struct source *source, struct ph_error *error)
{
	const char *why = NULL;
	int result;

	client_begin(source->client, "EXAMINE ");
	client_add_string(source->client, source->mailbox->remote);
	result = client_run(source->client, 0, take_examined, source, error);
	if (import_refused(result))
		why = error->detail;
	else if (result < 0)
		return result;
	else if (source->uid_validity == 0 || source->not_lasting)
		why = "the server gives its messages no lasting UIDs";
	else if (source->exists > MESSAGES_MAX)
		why = "it has too many messages";
	if (!why)
		return 0;
	importer->refuse(source->import, source->mailbox->name, "the mailbox", why);
	return PH_E_DENIED;
}

/* --- which messages there are --- */

static int take_message_uid(void *arg, const struct response *response, struct ph_error *error)
{
	struct source *source = arg;

	if (response->kind != RESPONSE_FETCH || response->fetch.uid == 0)
		return 0;
	if (source->count == MESSAGES_MAX)
		return ph_error_set(error, PH_E_LIMIT, "the mailbox has too many messages", NULL);
	if (source->count == source->capacity) {
		source->capacity = source->capacity * 2 + 1024;
		source->uids = ph_realloc_array(source->uids, source->capacity, sizeof(*source->uids));
	}
	source->uids[source->count++] = response->fetch.uid;
	return 0;
}

static int compare_uids(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static int list_uids(struct source *source, struct ph_error *error)
{
	size_t kept = 0;
	int result;

	if (source->exists == 0)
		return 0;
	client_begin(source->client, "FETCH 1:* (UID)");
	result = client_run(source->client, (uint64_t)(source->exists + UINT64_C(100000)) * UID_RESPONSE,
		take_message_uid, source, error);
	if (result < 0)
		return result;
	if (source->count < source->exists)
		importer->refuse(source->import, source->mailbox->name, "some messages",
			"the server says that they are there, and gives them no UIDs");
	if (source->count == 0)
		return 0;
	qsort(source->uids, source->count, sizeof(*source->uids), compare_uids);
	for (size_t i = 1; i < source->count; i++) {
		if (source->uids[i] != source->uids[kept])
			source->uids[++kept] = source->uids[i];
	}
	source->count = kept + 1;
	return 0;
}

/* --- some messages --- */

static struct item *find_item(struct source *source, uint32_t uid)
{
	for (size_t i = 0; i < source->item_count; i++) {
		if (source->items[i].uid == uid)
			return &source->items[i];
	}
	return NULL;
}

static void keep_flags(struct source *source, const struct response_fetch *from, struct item *item)
{
	struct ph_str *keywords =
		ph_pool_array(source->pool, from->flags.keyword_count + 1, sizeof(*keywords));

	for (size_t i = 0; i < from->flags.keyword_count; i++)
		keywords[i] = ph_pool_str(source->pool, from->flags.keywords[i]);
	item->fetch.flags = from->flags;
	item->fetch.flags.keywords = keywords;
	item->fetch.recent = from->recent;
	item->fetch.lost = ph_pool_str(source->pool, from->lost);
	item->fetch.has_flags = true;
}

static int write_text(void *arg, struct ph_str bytes, struct ph_error *error)
{
	struct source *source = arg;

	if (!source->draft)
		source->draft = store->draft_new();
	return store->draft_write(source->draft, bytes, error);
}

/* The text came before, or stands here as a quoted string. */
static int keep_text(
	struct source *source, const struct response_fetch *from, struct item *item, struct ph_error *error)
{
	int result = 0;

	if (!from->has_body || item->draft)
		return 0;
	item->is_null = !from->body.data;
	if (item->is_null)
		return 0;
	if (!source->draft)
		result = write_text(source, from->body, error);
	item->draft = source->draft;
	source->draft = NULL;
	return result;
}

/* What a server tells unasked, of other messages or without a UID, is passed over. But it sends no texts that
 * nobody asked for, unless it wants to fill the disk. */
static int take_message(void *arg, const struct response *response, struct ph_error *error)
{
	const struct response_fetch *fetch = &response->fetch;
	struct source *source = arg;
	struct item *item = response->kind == RESPONSE_FETCH ? find_item(source, fetch->uid) : NULL;
	int result = 0;

	if (source->draft && (!item || item->draft))
		return ph_error_set(
			error, PH_E_CORRUPT, "the server sends a message that nobody asked for", NULL);
	if (item && fetch->has_flags && !item->fetch.has_flags)
		keep_flags(source, fetch, item);
	if (item && fetch->has_date) {
		item->fetch.date = fetch->date;
		item->fetch.has_date = true;
	}
	if (item && fetch->size > 0)
		item->fetch.size = fetch->size;
	if (item) {
		item->known = item->fetch.has_flags && item->fetch.has_date;
		result = keep_text(source, fetch, item, error);
	}
	store->draft_free(&source->draft);
	return result;
}

/* Asks for these; a refusal is kept, and no failure. */
static int fetch(struct source *source, size_t first, size_t end, const char *what, struct ph_error *error)
{
	struct client *client = source->client;
	char text[32];
	int result;

	client_begin(client, "UID FETCH ");
	for (size_t i = first; i < end; i++) {
		snprintf(text, sizeof(text), "%s%" PRIu32, i > first ? "," : "", source->items[i].uid);
		client_add(client, text);
	}
	client_add(client, what);
	client->write_body = write_text;
	client->arg = source;
	result = client_run(client, 0, take_message, source, error);
	client->write_body = NULL;
	store->draft_free(&source->draft);
	source->refusal[0] = '\0';
	if (import_refused(result))
		snprintf(source->refusal, sizeof(source->refusal), "%s", error->detail);
	return import_refused(result) ? 0 : result;
}

/* --- handing them over --- */

struct name {
	char text[PH_IMPORT_NAME_MAX + 1];
};

static const char *name_of(const struct source *source, const struct item *item, struct name *name)
{
	snprintf(name->text, sizeof(name->text), "imap %s V%" PRIu32 " U%" PRIu32, source->server,
		source->uid_validity, item->uid);
	return name->text;
}

static const char *missing(const struct source *source, const struct item *item)
{
	if (item->is_null)
		return "the server has no text of it";
	if (item->draft)
		return "the message is empty";
	return source->refusal[0] ? source->refusal : "the server does not give it";
}

static int add(struct source *source, struct item *item, struct ph_error *error)
{
	struct name room;
	const char *name = name_of(source, item, &room);
	struct ph_import_message message = { .name = ph_str(name), .uid = item->uid };
	struct ph_draft *draft = item->draft;

	if (!draft || store->draft_size(draft) == 0) {
		importer->refuse(source->import, source->mailbox->name, name, missing(source, item));
		return 0;
	}
	if (!item->known)
		importer->complain(source->mailbox->name, name, "the server told no flags or no date");
	if (item->fetch.lost.len > 0)
		importer->complain(source->mailbox->name, name,
			ph_pool_printf(
				source->pool, "its flag %.*s is not kept", PH_STR_ARGS(item->fetch.lost))
				.data);
	message.flags = item->fetch.flags;
	message.recent = item->fetch.recent;
	message.internal_date = item->fetch.has_date ? item->fetch.date.seconds : ph_clock();
	message.internal_zone = item->fetch.has_date ? item->fetch.date.zone : 0;
	item->draft = NULL;
	return importer->add(source->target, &message, draft, error);
}

/* Items that did not come with the others are asked for alone. */
static int add_items(struct source *source, size_t first, size_t end, struct ph_error *error)
{
	int result = 0;

	for (size_t i = first; i < end && result == 0; i++) {
		struct item *item = &source->items[i];

		source->refusal[0] = '\0';
		if (!item->known || (!item->draft && !item->is_null))
			result = fetch(source, i, i + 1, " (UID FLAGS INTERNALDATE BODY.PEEK[])", error);
		if (result == 0)
			result = add(source, item, error);
	}
	return result;
}

static int take_texts(struct source *source, struct ph_error *error)
{
	size_t first = 0, end;
	int result = 0;

	for (; first < source->item_count && result == 0; first = end) {
		uint64_t size = 0;

		for (end = first; end < source->item_count && (end == first || size < TEXTS); end++) {
			uint64_t more = source->items[end].fetch.size;

			size += more < TEXTS ? more : TEXTS;
		}
		result = fetch(source, first, end, " (UID BODY.PEEK[])", error);
		if (result == 0)
			result = add_items(source, first, end, error);
	}
	return result;
}

static int take_batch(struct source *source, struct ph_error *error)
{
	int result = 0;

	if (source->item_count > 0)
		result = fetch(source, 0, source->item_count, " (UID FLAGS INTERNALDATE RFC822.SIZE)", error);
	if (result == 0)
		result = take_texts(source, error);
	for (size_t i = 0; i < source->item_count; i++)
		store->draft_free(&source->items[i].draft);
	source->item_count = 0;
	ph_pool_clear(source->pool);
	return result;
}

static int take_new(struct source *source, struct ph_error *error)
{
	int result = 0;

	ph_progress_begin("messages");
	for (size_t i = 0; i < source->count && result == 0; i++) {
		struct item *item = &source->items[source->item_count];
		struct name name;

		ph_progress(source->mailbox->name, i, source->count);
		*item = (struct item){ .uid = source->uids[i] };
		if (!importer->has(source->target, ph_str(name_of(source, item, &name))))
			source->item_count++;
		if (source->item_count == BATCH)
			result = take_batch(source, error);
	}
	return result < 0 ? result : take_batch(source, error);
}

static int take_mailbox(struct source *source, struct ph_error *error)
{
	int result = list_uids(source, error), ended;

	if (import_refused(result)) {
		importer->refuse(source->import, source->mailbox->name, "the mailbox", error->detail);
		return 0;
	}
	if (result < 0)
		return result;
	source->target = importer->begin(
		source->import, source->mailbox->name, source->mailbox->special_use, source->uid_validity);
	if (!source->target)
		return 0;
	result = take_new(source, error);
	ended = importer->end(&source->target, result < 0 ? 0 : source->uid_next, result < 0 ? NULL : error);
	return result < 0 ? result : ended;
}

int import_messages(struct client *client, struct ph_import *import, const struct import_mailbox *mailbox,
	const char *server, struct ph_error *error)
{
	struct source *source = ph_alloc(sizeof(*source));
	int result;

	*source = (struct source){ .client = client,
		.import = import,
		.mailbox = mailbox,
		.server = server,
		.pool = ph_pool_new(0) };
	result = examine(source, error);
	if (result == 0)
		result = take_mailbox(source, error);
	else if (import_refused(result))
		result = 0;
	free(source->uids);
	ph_pool_free(&source->pool);
	free(source);
	return result;
}
