/* Names of mailboxes: UTF-8, levels parted by "/". */
#ifndef STORE_NAME_H
#define STORE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/store.h>

#include "record.h"

struct name {
	size_t len;
	char bytes[PH_MAILBOX_NAME_MAX];
};

static inline struct ph_str name_str(const struct name *name)
{
	return ph_str_of(name->bytes, name->len);
}

/* Checks a name that a client gave, and writes a first level "inbox" as INBOX. PH_E_INVALID or PH_E_LIMIT. */
int name_parse(struct ph_str text, unsigned depth_max, struct name *name_r);
bool name_is_inbox(struct ph_str name);
/* Is `name` below `parent`? */
bool name_is_below(struct ph_str name, struct ph_str parent);
/* The name of the level above; false at the top. */
bool name_parent(struct ph_str name, struct ph_str *parent_r);
/* A parent comes before its children, and they before what follows it. */
int name_compare(struct ph_str a, struct ph_str b);

/* The key of a name in its account's partition. Long names end in a hash: what is found must be compared. */
struct ph_str name_key(struct key *key, char kind, struct ph_str name);
/* What the keys of a name and of all names below it begin with. */
struct ph_str name_key_prefix(struct key *key, char kind, struct ph_str name);

#endif
