/* `posthorn import imap`: another server as a source of mail (posthorn/import.h).
 *
 *   import_tool       the command line, the password, and the order of things
 *   import_mailboxes  which mailboxes there are, and what they are called here
 *   import_messages   the messages of one of them
 */
#ifndef IMAP_IMPORT_H
#define IMAP_IMPORT_H

#include <posthorn/import.h>
#include <posthorn/tool.h>

#include "client.h"

/* The services, set before anything starts. */
extern const struct ph_store_service *store;
extern const struct ph_import_service *importer;

struct import_mailbox {
	struct ph_str remote; /* its name as the server writes it */
	struct ph_str name;   /* and as it is here */
	unsigned attributes;  /* of enum response_attribute */
	unsigned special_use;
};

struct import_mailboxes {
	struct ph_pool *pool; /* they lie in it */
	struct import_mailbox *items;
	size_t count, capacity;
	struct ph_str *subscriptions; /* their names here */
	size_t subscription_count, subscription_capacity;
};

/* Asks for all of them; those of others are refused. */
int import_list(struct client *client, struct ph_import *import, struct import_mailboxes *mailboxes,
	struct ph_error *error);
void import_list_free(struct import_mailboxes *mailboxes);

/* A name as it will be here: in UTF-8, with "/" between its levels, and without the prefix of its namespace.
 * *why_r says what is different then, or is NULL. No data: there is no room. Pure. */
struct ph_str import_name(
	struct ph_str remote, char delimiter, struct ph_str prefix, struct ph_pool *pool, const char **why_r);

/* Takes over what is new in the mailbox. `server` names the account there in the names of messages. */
int import_messages(struct client *client, struct ph_import *import, const struct import_mailbox *mailbox,
	const char *server, struct ph_error *error);

/* Is the command refused, and the connection as good as before? */
static inline bool import_refused(int result)
{
	return result == PH_E_DENIED || result == PH_E_INVALID;
}

extern const struct ph_tool imap_tools[];

#endif
