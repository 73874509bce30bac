/* The service import/1 (posthorn/import.h), and the sources that are files. */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/import.h>

#include "../store.h"

struct ph_import {
	ph_account_id account;
	uint64_t taken;
	uint64_t there; /* already */
	uint64_t refused;
};

extern const struct ph_import_service import_service;

/* As in struct ph_import_service. */
int import_run(const char *address,
	int (*source)(struct ph_import *import, void *arg, struct ph_error *error), void *arg);
void import_complain(struct ph_str where, const char *what, const char *why);
void import_refuse(struct ph_import *import, struct ph_str where, const char *what, const char *why);
struct ph_import_mailbox *import_begin(
	struct ph_import *import, struct ph_str name, unsigned special_use, uint32_t uid_validity);
bool import_has(struct ph_import_mailbox *mailbox, struct ph_str name);
int import_add(struct ph_import_mailbox *mailbox, const struct ph_import_message *message,
	struct ph_draft *draft, struct ph_error *error);
int import_end(struct ph_import_mailbox **mailbox, uint32_t uid_next, struct ph_error *error);
void import_subscribe(struct ph_import *import, struct ph_str name);

/* Gives the mailbox these special uses, but those that another mailbox with messages has. */
int import_take_uses(ph_account_id account, struct ph_str name, unsigned uses, struct ph_error *error);

/* Writes a file's bytes to a draft, so that lines end in CRLF: as they are if the first one does so. */
struct import_writer {
	struct ph_draft *draft;
	bool decided, as_is;
	char last;
};
int import_write(struct import_writer *writer, struct ph_str bytes, struct ph_error *error);

/* Sources; `path` is a const char *. */
int import_maildir(struct ph_import *import, void *path, struct ph_error *error);
int import_mbox(struct ph_import *import, void *path, struct ph_error *error);

#endif
