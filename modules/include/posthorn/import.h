/* The service "import/1": taking mail over from elsewhere into an account, with the UIDs, flags and dates
 * that it had. What the mail comes from is the business of a source: a folder of files, or another server.
 *
 * Each message has a name that is kept with it, so that a second run takes nothing twice and goes on where
 * the first was broken off. Nothing is left out silently: a source says what it cannot take (refuse), or
 * cannot take as it was (complain), and so does the store.
 *
 * All of this is for commands of the program (tool.h): it writes to stdout and stderr. Everything may park.
 */
#ifndef POSTHORN_IMPORT_H
#define POSTHORN_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/store.h>

#define PH_IMPORT_SERVICE "import/1"
/* Bytes in the name of a message. */
#define PH_IMPORT_NAME_MAX 400
/* Larger UIDs are not kept, whatever a damaged list or a server says: the mailbox will need UIDs for what
 * comes later. */
#define PH_IMPORT_UID_MAX UINT32_C(0xf0000000)

/* One run, into one account. */
struct ph_import;
/* A mailbox that takes messages. */
struct ph_import_mailbox;

/* A message on its way: what it had where it comes from. */
struct ph_import_message {
	struct ph_str name; /* unique in its mailbox, and the same in each run; a NUL stands behind it */
	uint32_t uid;       /* 0: it had none, */
	uint32_t uid_least; /* and may get no other below this: they were given before */
	int64_t internal_date;
	int32_t internal_zone; /* minutes east of UTC */
	bool recent;           /* nobody was told of it yet (RFC 3501, 2.3.2) */
	struct ph_flag_list flags;
};

struct ph_import_service {
	/* Finds the account of that address, lets `source(import, arg)` do its work, and says on stdout what
	 * came of it. The source gives 0, or a negative code with *error when it cannot go on. Gives the
	 * ph_exit: PH_EXIT_FAILED also when a message was refused. */
	int (*run)(const char *address,
		int (*source)(struct ph_import *import, void *arg, struct ph_error *error), void *arg);

	/* Says on stdout what could not be taken as it was, and why. */
	void (*complain)(struct ph_str where, const char *what, const char *why);
	/* The same for what is not taken at all: counted as refused. */
	void (*refuse)(struct ph_import *import, struct ph_str where, const char *what, const char *why);

	/* Makes the mailbox (its name in UTF-8, levels parted by "/") if there is none. Its special uses
	 * (ph_special_use bits) come along unless another mailbox with messages has them. An empty mailbox
	 * takes the UIDVALIDITY, unless that is 0. NULL, and it was refused, when it cannot be. */
	struct ph_import_mailbox *(*begin)(
		struct ph_import *import, struct ph_str name, unsigned special_use, uint32_t uid_validity);
	/* Was the message taken before, whatever became of it since? Then it is counted as such. */
	bool (*has)(struct ph_import_mailbox *mailbox, struct ph_str name);
	/* Takes over the draft, and stores it now or at the end. UIDs are kept when they come in ascending
	 * order and are at most PH_IMPORT_UID_MAX; keywords that are no atoms are not, which is said. A
	 * negative code: nothing can be stored any more. */
	int (*add)(struct ph_import_mailbox *mailbox, const struct ph_import_message *message,
		struct ph_draft *draft, struct ph_error *error);
	/* Stores what is left; no UID below `uid_next` will be given: 0 when the source broke off, so that
	 * the rest still gets its UIDs in another run. Frees, and clears the pointer. */
	int (*end)(struct ph_import_mailbox **mailbox, uint32_t uid_next, struct ph_error *error);

	/* Subscribes to a mailbox, which need not exist; or refuses. */
	void (*subscribe)(struct ph_import *import, struct ph_str name);
};

#endif
