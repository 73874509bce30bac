/* Maildirs as Dovecot lays them out: names of folders, of files, and what lies beside the messages. */
#ifndef STORE_MAILDIR_H
#define STORE_MAILDIR_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/buf.h>
#include <posthorn/map.h>
#include <posthorn/mem.h>
#include <posthorn/str.h>

#define MAILDIR_KEYWORDS 26 /* those that file names can tell of: a to z */

/* A mailbox's name from and to a folder's: ".A.B" is "A/B", in modified UTF-7 (RFC 3501, 5.1.3). False: it
 * has none. A level's own "." is encoded as well. */
bool maildir_mailbox_name(struct ph_str folder, struct ph_buf *name);
void maildir_folder_name(struct ph_str name, struct ph_buf *folder);

/* The mailbox's name of a line of the list of subscriptions, where levels are parted by ".", "/" or tabs. */
bool maildir_subscription(struct ph_str line, struct ph_buf *name);

/* The unique part of a file's name, and the flags behind it. */
struct ph_str maildir_unique_name(struct ph_str file);
struct ph_str maildir_flags(struct ph_str file);

/* ph_flag bits of a flag's letter; 0: it is none. */
unsigned maildir_flag_of(char letter);
void maildir_print_flags(unsigned flags, struct ph_buf *buf);

/* A list that is there, and could not be read, or not all of it. */
struct maildir_damage {
	const char *why;     /* NULL: only lines */
	unsigned long lines; /* so many, */
	unsigned long line;  /* this is the first */
};

/* dovecot-uidlist and dovecot-keywords of a folder. */
struct maildir_lists {
	uint32_t uid_validity, uid_next; /* 0: there is no list */
	struct ph_map *uids;             /* unique name -> UID as a pointer */
	struct ph_str keywords[MAILDIR_KEYWORDS];
	bool headed; /* the first line of the list of UIDs was read */
	struct maildir_damage uids_damage, keywords_damage;
};
/* What is not there, or cannot be read, stays empty. */
void maildir_read_lists(const char *folder, struct ph_pool *pool, struct maildir_lists *lists_r);
/* A line of dovecot-uidlist, and one of dovecot-keywords. False: it cannot be read. */
bool maildir_take_uid(struct ph_str line, struct ph_pool *pool, struct maildir_lists *lists);
bool maildir_take_keyword(struct ph_str line, struct ph_pool *pool, struct maildir_lists *lists);
void maildir_free_lists(struct maildir_lists *lists);

#endif
