/* Taking mail over from elsewhere: messages come with the UIDs, flags and dates they had. Each has a name
 * that is kept with it, so that a second run takes nothing twice and goes on where the first was broken off.
 */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/mem.h>

#include "record.h"
#include "store.h"

/* Bytes in the name of a message. */
#define IMPORT_NAME_MAX 400

struct import {
	ph_account_id account;
	uint64_t taken;
	uint64_t there; /* already */
	uint64_t refused;
};

struct import_mailbox;

/* A message on its way: what it had where it comes from. */
struct import_message {
	struct ph_str name; /* unique in its mailbox */
	uint32_t uid;       /* 0: it had none */
	int64_t internal_date;
	struct ph_flag_list flags;
};

/* Says on stdout what could not be taken as it was, and why. */
void import_complain(struct ph_str where, const char *what, const char *why);
/* The same for what is not taken at all: counted as refused. */
void import_refuse(struct import *import, struct ph_str where, const char *what, const char *why);

/* Makes the mailbox if there is none. An empty one takes the UIDVALIDITY, unless that is 0. NULL, and
 * complaints, when it cannot be. */
struct import_mailbox *import_begin(struct import *import, struct ph_str name, uint32_t uid_validity);
bool import_has(struct import_mailbox *mailbox, struct ph_str name);
/* Takes over the draft, and stores it now or at the end. A negative code: nothing can be stored any more. */
int import_add(struct import_mailbox *mailbox, const struct import_message *message, struct ph_draft *draft,
	struct ph_error *error);
/* Stores what is left; no UID below `uid_next` will be given. Frees, and clears the pointer. */
int import_end(struct import_mailbox **mailbox, uint32_t uid_next, struct ph_error *error);

/* Writes a file's bytes to a draft, so that lines end in CRLF: as they are if the first one does so. */
struct import_writer {
	struct ph_draft *draft;
	bool decided, as_is;
	char last;
};
int import_write(struct import_writer *writer, struct ph_str bytes, struct ph_error *error);

/* The kinds. 0, or a negative code when the store failed. */
int import_maildir(struct import *import, const char *path, struct ph_error *error);
int import_mbox(struct import *import, const char *path, struct ph_error *error);

#endif
