/* The maildrop of one session: an exclusive lock, and the list of messages as it was at login. Nothing
 * changes in the mailbox until maildrop_commit(). */
#ifndef POP3_MAILDROP_H
#define POP3_MAILDROP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/store.h>

struct maildrop_message {
	uint64_t size;
	uint32_t uid;
	bool deleted;
	bool retrieved;
};

struct maildrop {
	const struct ph_store_service *store;
	struct ph_actor actor;
	char *name;                 /* of the mailbox */
	struct ph_mailbox *mailbox; /* open for reading; NULL: the maildrop is not open */
	uint32_t uid_validity;
	struct maildrop_message *messages; /* number n is messages[n - 1] */
	uint32_t count;
	/* Of the messages that are not marked as deleted. */
	uint32_t kept;
	uint64_t kept_size;
};

/* May park. PH_E_BUSY: another session has it; PH_E_ABSENT: no such mailbox. */
int maildrop_open(struct maildrop *maildrop, const struct ph_store_service *store, struct ph_actor actor,
	struct ph_str mailbox, struct ph_error *error);
/* May park. Lets go of the lock and all memory; of one that is not open, too. */
void maildrop_close(struct maildrop *maildrop);
/* The message of that number, unless there is none or it is marked as deleted: then NULL. */
struct maildrop_message *maildrop_message(const struct maildrop *maildrop, uint64_t number);
void maildrop_delete(struct maildrop *maildrop, struct maildrop_message *message);
void maildrop_undelete_all(struct maildrop *maildrop);
/* May park. Opens a message's bytes. PH_E_ABSENT when another client removed it meanwhile. */
int maildrop_read(const struct maildrop *maildrop, const struct maildrop_message *message,
	struct ph_message_bytes **bytes_r, struct ph_error *error);
/* May park. Removes what is marked as deleted, at once or not at all; with mark_seen, marks what was
 * retrieved as seen. */
int maildrop_commit(const struct maildrop *maildrop, bool mark_seen, struct ph_error *error);

#endif
