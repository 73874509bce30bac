/* Writing an account's mail to files that others, and `posthorn import`, can read. */
#ifndef STORE_EXPORT_H
#define STORE_EXPORT_H

#include <stdint.h>
#include <stdio.h>

#include "../mailbox.h"
#include "../session.h"
#include "../store.h"

struct export
{
	ph_account_id account;
	const char *path;
	uint64_t written;
	uint64_t there; /* already */
	uint64_t refused;
	uint64_t total; /* messages of the account, as it counts them */
};

/* Says on stdout what could not be written as it is, and why. */
void export_complain(struct ph_str mailbox, uint32_t uid, const char *what, const char *why);
/* The same for what is not written at all: counted as refused. */
void export_refuse(struct export *export, struct ph_str mailbox, uint32_t uid, const char *why);
void export_progress(const struct export *export, struct ph_str mailbox);

/* Calls `write` for each mailbox. */
int export_each(struct export *export,
	int (*write)(struct export *export, const struct ph_mailbox_entry *entry, struct ph_mailbox *mailbox,
		struct ph_error *error),
	struct ph_error *error);

/* The kinds. 0, or a negative code when the store failed. */
int export_maildir(struct export *export, struct ph_error *error);
int export_mbox(struct export *export, struct ph_error *error);

#endif
