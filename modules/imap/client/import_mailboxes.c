/* The mailboxes of another server: LIST, LSUB and NAMESPACE, and their names here. */
#include "import.h"

#include <posthorn/map.h>

#include <stdlib.h>

#include "../utf7.h"

/* What a server may make us keep. */
enum { MAILBOXES_MAX = 100000, NAMES_MAX = 64 << 20 };

struct listing {
	struct client *client;
	struct ph_import *import;
	struct import_mailboxes *mailboxes;
	struct response_namespace *namespaces;
	struct ph_map *remote; /* names that were told of already, as the server writes them */
	struct ph_map *local;  /* names that are taken here */
	bool subscribed;       /* subscriptions are asked for */
};

/* --- names --- */

static struct ph_str decode(struct ph_str remote, struct ph_pool *pool, const char **why_r)
{
	char *room = ph_pool_alloc(pool, utf7_decoded_max(remote.len));
	size_t len;

	for (size_t i = 0; i < remote.len; i++) {
		if ((unsigned char)remote.data[i] >= 0x80)
			return remote;
	}
	if (!room || utf7_decode(remote, room, &len))
		return ph_str_of(room, room ? len : 0);
	*why_r = "is not in modified UTF-7, and taken as it stands";
	return remote;
}

static bool is_inbox(struct ph_str name)
{
	return ph_str_case_eq(name, PH_STR("INBOX")) || ph_str_case_starts(name, PH_STR("INBOX/"));
}

static struct ph_str convert(struct ph_str remote, char delimiter, struct ph_pool *pool, const char **why_r)
{
	struct ph_str name = decode(remote, pool, why_r);
	char *text = ph_pool_alloc(pool, name.len + 1);

	if (!text)
		return (struct ph_str){ NULL, 0 };
	for (size_t i = 0; i < name.len; i++) {
		text[i] = name.data[i];
		if (delimiter && text[i] == delimiter) {
			text[i] = '/';
		} else if (text[i] == '/') {
			text[i] = '_';
			*why_r = "has a \"/\", which stands between levels here: it is \"_\" now";
		}
	}
	return ph_str_of(text, name.len);
}

struct ph_str import_name(
	struct ph_str remote, char delimiter, struct ph_str prefix, struct ph_pool *pool, const char **why_r)
{
	struct ph_str rest =
		ph_str_starts(remote, prefix) ? ph_str_slice(remote, prefix.len, remote.len) : remote;
	struct ph_str name = convert(rest.len > 0 ? rest : remote, delimiter, pool, why_r);

	/* Below a prefix "INBOX." there may be another INBOX. */
	return prefix.len > 0 && is_inbox(name) ? convert(remote, delimiter, pool, why_r) : name;
}

/* The one with the longest prefix that the name has; or NULL. */
static const struct response_namespace *find_namespace(const struct listing *listing, struct ph_str remote)
{
	const struct response_namespace *found = NULL;

	for (const struct response_namespace *space = listing->namespaces; space; space = space->next) {
		if (ph_str_starts(remote, space->prefix) && (!found || space->prefix.len > found->prefix.len))
			found = space;
	}
	return found;
}

static struct ph_str local_name(
	const struct listing *listing, const struct response_list *list, const char **why_r)
{
	const struct response_namespace *space = find_namespace(listing, list->name);

	return import_name(list->name, list->delimiter, space && space->personal ? space->prefix : PH_STR(""),
		listing->mailboxes->pool, why_r);
}

static bool is_ours(const struct listing *listing, struct ph_str remote)
{
	const struct response_namespace *space = find_namespace(listing, remote);

	return !space || space->personal;
}

/* --- what the server tells --- */

static int no_room(struct ph_error *error)
{
	return ph_error_set(error, PH_E_LIMIT, "the server has too many mailboxes", NULL);
}

static int add_subscription(struct listing *listing, struct ph_str name)
{
	struct import_mailboxes *mailboxes = listing->mailboxes;

	if (mailboxes->subscription_count == mailboxes->subscription_capacity) {
		mailboxes->subscription_capacity = mailboxes->subscription_capacity * 2 + 64;
		mailboxes->subscriptions = ph_realloc_array(mailboxes->subscriptions,
			mailboxes->subscription_capacity, sizeof(*mailboxes->subscriptions));
	}
	mailboxes->subscriptions[mailboxes->subscription_count++] = name;
	return 0;
}

static int add_mailbox(
	struct listing *listing, const struct response_list *list, struct ph_str name, struct ph_str remote)
{
	struct import_mailboxes *mailboxes = listing->mailboxes;

	if (ph_map_put(listing->local, is_inbox(name) && name.len == 5 ? PH_STR("INBOX") : name, listing)) {
		importer->refuse(listing->import, name, "the mailbox", "another one has this name here");
		return 0;
	}
	if (mailboxes->count == mailboxes->capacity) {
		mailboxes->capacity = mailboxes->capacity * 2 + 64;
		mailboxes->items =
			ph_realloc_array(mailboxes->items, mailboxes->capacity, sizeof(*mailboxes->items));
	}
	mailboxes->items[mailboxes->count++] =
		(struct import_mailbox){ remote, name, list->attributes, list->special_use };
	return 0;
}

static int take_name(struct listing *listing, const struct response_list *list, struct ph_error *error)
{
	struct import_mailboxes *mailboxes = listing->mailboxes;
	const char *why = NULL;
	struct ph_str remote = ph_pool_str(mailboxes->pool, list->name);
	struct ph_str name = local_name(listing, list, &why);

	if (!name.data || !remote.data || mailboxes->count + mailboxes->subscription_count >= MAILBOXES_MAX)
		return no_room(error);
	name = ph_pool_str(mailboxes->pool, name);
	if (!name.data)
		return no_room(error);
	if (listing->subscribed)
		return is_ours(listing, remote) ? add_subscription(listing, name) : 0;
	if (!is_ours(listing, remote)) {
		if (!(list->attributes & ATTRIBUTE_NO_SELECT))
			importer->refuse(listing->import, name, "the mailbox", "it is shared by others");
		return 0;
	}
	/* A prefix itself, and other names that only hold others. */
	if (list->attributes & ATTRIBUTE_NO_SELECT)
		return 0;
	if (why)
		importer->complain(name, "its name", why);
	return add_mailbox(listing, list, name, remote);
}

static int take_list(void *arg, const struct response *response, struct ph_error *error)
{
	struct listing *listing = arg;

	if (response->kind == RESPONSE_BROKEN) {
		importer->refuse(listing->import, response->text, "a response",
			"it cannot be understood, and may have told of a mailbox");
		return 0;
	}
	if (response->kind != RESPONSE_LIST)
		return 0;
	/* LIST (SUBSCRIBED) may also tell of parents. */
	if (listing->subscribed && client_has(listing->client, "IMAP4rev2") &&
		!(response->list.attributes & ATTRIBUTE_SUBSCRIBED))
		return 0;
	if (ph_map_put(listing->remote, response->list.name, listing))
		return 0;
	return take_name(listing, &response->list, error);
}

/* --- questions --- */

static int take_namespaces(void *arg, const struct response *response, struct ph_error *error)
{
	struct listing *listing = arg;
	struct response_namespace **end = &listing->namespaces;

	if (response->kind != RESPONSE_NAMESPACE || listing->namespaces)
		return 0;
	for (const struct response_namespace *space = response->namespaces; space; space = space->next) {
		struct response_namespace *copy = ph_pool_alloc(listing->mailboxes->pool, sizeof(*copy));

		if (!copy)
			return no_room(error);
		*copy = (struct response_namespace){
			.prefix = ph_pool_str(listing->mailboxes->pool, space->prefix),
			.delimiter = space->delimiter,
			.personal = space->personal,
		};
		*end = copy;
		end = &copy->next;
	}
	return 0;
}

static int ask_namespaces(struct listing *listing, struct ph_error *error)
{
	int result;

	if (!client_has(listing->client, "NAMESPACE"))
		return 0;
	client_begin(listing->client, "NAMESPACE");
	result = client_run(listing->client, 0, take_namespaces, listing, error);
	return import_refused(result) ? 0 : result;
}

static int ask_list(struct listing *listing, const char *command, struct ph_str prefix, const char *wildcard,
	struct ph_error *error)
{
	const struct client *client = listing->client;
	struct ph_str pattern =
		ph_pool_printf(listing->mailboxes->pool, "%.*s%s", PH_STR_ARGS(prefix), wildcard);

	if (!pattern.data)
		return no_room(error);
	client_begin(listing->client, command);
	client_add(listing->client, " \"\" ");
	client_add_string(listing->client, pattern);
	if (!listing->subscribed && client_has(client, "LIST-EXTENDED") && client_has(client, "SPECIAL-USE"))
		client_add(listing->client, " RETURN (SPECIAL-USE)");
	return client_run(listing->client, 0, take_list, listing, error);
}

/* "*" need not tell of all namespaces, nor a prefix "INBOX." of INBOX. */
static int ask_all(struct listing *listing, const char *command, struct ph_error *error)
{
	int result = ask_list(listing, command, PH_STR(""), "*", error);

	for (const struct response_namespace *space = listing->namespaces; space && result == 0;
		space = space->next) {
		if (space->prefix.len > 0)
			result = ask_list(listing, command, space->prefix, "*", error);
		if (import_refused(result))
			result = 0;
	}
	return result < 0 ? result : ask_list(listing, command, PH_STR(""), "INBOX", error);
}

static int ask_subscriptions(struct listing *listing, struct ph_error *error)
{
	ph_map_free(&listing->remote);
	listing->remote = ph_map_new();
	listing->subscribed = true;
	return ask_all(
		listing, client_has(listing->client, "IMAP4rev2") ? "LIST (SUBSCRIBED)" : "LSUB", error);
}

int import_list(struct client *client, struct ph_import *import, struct import_mailboxes *mailboxes,
	struct ph_error *error)
{
	struct listing listing = { .client = client,
		.import = import,
		.mailboxes = mailboxes,
		.remote = ph_map_new(),
		.local = ph_map_new() };
	int result;

	*mailboxes = (struct import_mailboxes){ .pool = ph_pool_new(NAMES_MAX) };
	result = ask_namespaces(&listing, error);
	if (result == 0)
		result = ask_all(&listing, "LIST", error);
	if (result == 0)
		result = ask_subscriptions(&listing, error);
	ph_map_free(&listing.remote);
	ph_map_free(&listing.local);
	return result;
}

void import_list_free(struct import_mailboxes *mailboxes)
{
	free(mailboxes->items);
	free(mailboxes->subscriptions);
	ph_pool_free(&mailboxes->pool);
}
