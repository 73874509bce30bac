/* The service "store/1": accounts, mailboxes and messages, in the words of the mail standards.
 *
 *   account   an address that owns mail, with a password hash
 *   mailbox   a named list of messages of one account (RFC 9051, 2.3): "INBOX", "Archive/2026"; levels are
 * parted by "/" UID, UIDVALIDITY, UIDNEXT, modseq   RFC 9051 2.3.1, RFC 7162 3.1 view      the messages one
 * session sees, in order: sequence number <-> UID draft     a message on its way in, not yet anyone's
 *
 * Every call carries the actor on whose behalf it is made; rights are checked here and nowhere else. An actor
 * without the right to see a thing gets PH_E_ABSENT, as if there were none. What was opened for an actor (a
 * mailbox, an iterator, bytes) may be read by whoever holds it; changing asks for the actor again.
 *
 * Unless it says otherwise every function may park, returns 0 or a negative code, and fills *error (which may
 * be NULL) when it fails. A change that returned 0 is durable. Strings and arrays handed out lie in the
 * caller's pool. */
#ifndef POSTHORN_STORE_H
#define POSTHORN_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/error.h>
#include <posthorn/kv.h>
#include <posthorn/mem.h>
#include <posthorn/mime.h>
#include <posthorn/str.h>

#define PH_STORE_SERVICE "store/1"
#define PH_MAILBOX_NAME_MAX 1000 /* bytes of UTF-8 */
#define PH_KEYWORD_MAX 200       /* bytes */
#define PH_EMAIL_ID_SIZE 34      /* with the NUL behind it */
#define PH_THREAD_ID_SIZE 18     /* too */

typedef uint64_t ph_account_id;

/* On whose behalf a call is made. */
struct ph_actor {
	ph_account_id account; /* 0: nobody */
	bool system;           /* the server itself: delivery, administration */
};
#define PH_ACTOR_SYSTEM ((struct ph_actor){ 0, true })

struct ph_account {
	ph_account_id id;
	struct ph_str address;       /* "alice@demo.test", the domain in lower case */
	struct ph_str password_hash; /* crypt(5); only for the system actor */
	bool disabled;
	int64_t created; /* seconds since 1970 */
};

/* What an account's mail may take; 0: without limit, PH_QUOTA_DEFAULT: as the configuration says. */
#define PH_QUOTA_DEFAULT (-1)
struct ph_quota_limits {
	int64_t bytes;
	int64_t messages;
};

struct ph_quota {
	uint64_t bytes; /* all its messages' sizes; copies count each */
	uint64_t messages;
	struct ph_quota_limits limits; /* that hold; none is PH_QUOTA_DEFAULT */
	struct ph_quota_limits own;    /* that it was given */
};

/* --- sets of UIDs --- */

struct ph_uid_range {
	uint32_t first, last; /* both in the set */
};

/* Ascending ranges that neither touch nor overlap. */
struct ph_uid_set {
	struct ph_uid_range *ranges;
	size_t count;
	size_t capacity;
};

/* --- mailboxes --- */

/* Special uses of RFC 6154, as bits. */
enum ph_special_use {
	PH_USE_ALL = 1,
	PH_USE_ARCHIVE = 2,
	PH_USE_DRAFTS = 4,
	PH_USE_FLAGGED = 8,
	PH_USE_JUNK = 16,
	PH_USE_SENT = 32,
	PH_USE_TRASH = 64,
};

struct ph_mailbox_entry {
	struct ph_str name; /* UTF-8 */
	bool exists;        /* false: only subscribed to, or only a parent of others (\NonExistent) */
	bool subscribed;
	bool has_children;
	unsigned special_use;
};

struct ph_mailbox_status {
	uint32_t messages;
	uint32_t recent; /* messages no session was told of as \Recent yet */
	uint32_t unseen;
	uint32_t deleted;
	uint32_t uid_next;
	uint32_t uid_validity;
	uint64_t highest_modseq;
	uint64_t size; /* sum of message sizes in bytes */
	char id[24];   /* MAILBOXID, RFC 8474 */
};

/* An open mailbox of one session, with its view. */
struct ph_mailbox;

/* --- messages --- */

enum ph_flag {
	PH_FLAG_SEEN = 1,
	PH_FLAG_ANSWERED = 2,
	PH_FLAG_FLAGGED = 4,
	PH_FLAG_DELETED = 8,
	PH_FLAG_DRAFT = 16,
};

struct ph_message {
	uint32_t uid;
	unsigned flags; /* ph_flag bits */
	bool recent;    /* \Recent in this session */
	const struct ph_str *keywords;
	size_t keyword_count;
	uint64_t modseq;
	int64_t internal_date; /* seconds since 1970 */
	int32_t internal_zone; /* minutes east of UTC, as it was given */
	int64_t save_date;     /* when it came into this mailbox (RFC 8514) */
	uint64_t size;         /* RFC822.SIZE */
	struct ph_kv_blob_id blob;
	uint64_t thread;       /* for message_thread_id */
	struct ph_str summary; /* for ph_mime_service.summary_decode; only when asked for */
};

enum ph_message_parts { PH_MESSAGE_SUMMARY = 1 };

struct ph_message_bytes;
struct ph_message_iterator;

/* Flags and keywords as a client names them: flags are ph_flag bits, keywords any atoms. */
struct ph_flag_list {
	unsigned flags;
	const struct ph_str *keywords;
	size_t keyword_count;
};

enum ph_flag_operation { PH_FLAGS_REPLACE, PH_FLAGS_ADD, PH_FLAGS_REMOVE };

/* A message on its way in. */
struct ph_draft;

/* Where a draft goes: one mailbox of one account. */
struct ph_destination {
	ph_account_id account;
	struct ph_str mailbox;
	bool create; /* the mailbox, if it does not exist */
	struct ph_flag_list flags;
	/* Filled: */
	int result; /* 0 or a negative code, for this destination */
	uint32_t uid_validity;
	uint32_t uid;
};

/* COPYUID of RFC 4315: the n-th UID of `source` became the n-th of `target`. */
struct ph_copied {
	uint32_t uid_validity; /* of the target */
	struct ph_uid_set source;
	struct ph_uid_set target;
};

/* What changed in an open mailbox since its view was made or last refreshed. */
struct ph_mailbox_news {
	/* Sequence numbers that went, each as it was when the ones before it in the list had gone already:
	 * the numbers of EXPUNGE responses, in order. UIDs beside them. */
	const uint32_t *expunged;
	struct ph_uid_set expunged_uids;
	size_t expunged_count;
	/* Messages that were there before, whose flags, keywords or modseq changed, whoever changed them:
	 * this session too. */
	struct ph_uid_set changed;
	/* How many messages there are now, and whether there are new ones. */
	uint32_t exists;
	uint32_t recent; /* in this session */
	bool exists_changed;
	bool keywords_changed; /* the mailbox knows new keywords */
	bool gone;             /* the mailbox itself was deleted: the session must leave it */
};

/* What changed after a modseq, for CHANGEDSINCE and QRESYNC (RFC 7162): of the messages in the view and below
 * its UIDNEXT. The sets are to be freed with uid_set_free. */
struct ph_mailbox_changes {
	struct ph_uid_set changed; /* are there, with a greater modseq */
	struct ph_uid_set
		vanished; /* went since; unless `exact`, all that are not there, whenever they went */
	bool exact;       /* the mailbox remembers that far: module store's option `changes` */
};

struct ph_store_service {
	/* --- accounts --- */

	/* PH_E_EXISTS, PH_E_INVALID (not an address). Makes INBOX and the special-use mailboxes that the
	 * configuration names. */
	int (*account_create)(struct ph_actor actor, struct ph_str address, struct ph_str password_hash,
		ph_account_id *id_r, struct ph_error *error);
	/* By address, whatever its ASCII case. PH_E_ABSENT. */
	int (*account_find)(struct ph_actor actor, struct ph_str address, struct ph_pool *pool,
		struct ph_account *account_r, struct ph_error *error);
	int (*account_set_password)(
		struct ph_actor actor, ph_account_id id, struct ph_str password_hash, struct ph_error *error);
	/* With all its mail, which goes when the account is gone, or later. */
	int (*account_remove)(struct ph_actor actor, ph_account_id id, struct ph_error *error);
	/* In the order of addresses. */
	int (*account_list)(struct ph_actor actor, struct ph_pool *pool, struct ph_account **accounts_r,
		size_t *count_r, struct ph_error *error);
	/* PH_E_ABSENT. */
	int (*account_quota)(
		struct ph_actor actor, ph_account_id id, struct ph_quota *quota_r, struct ph_error *error);
	/* Only the system actor. What is over the new limits already stays. */
	int (*account_set_quota)(struct ph_actor actor, ph_account_id id,
		const struct ph_quota_limits *limits, struct ph_error *error);
	/* Is the domain served here: configured, or has an account? */
	int (*domain_is_local)(struct ph_str domain, bool *local_r, struct ph_error *error);

	/* --- mailboxes. INBOX in any case of its letters names the inbox, which always exists. --- */

	int (*mailbox_list)(struct ph_actor actor, ph_account_id account, struct ph_pool *pool,
		struct ph_mailbox_entry **entries_r, size_t *count_r, struct ph_error *error);
	/* Missing parents are made as well. PH_E_EXISTS, PH_E_INVALID (name), PH_E_LIMIT. */
	int (*mailbox_create)(struct ph_actor actor, ph_account_id account, struct ph_str name,
		unsigned special_use, struct ph_error *error);
	/* PH_E_ABSENT; PH_E_DENIED for INBOX. 0 once it has lost its name: its mail goes then, or later.
	 * Children stay, and the name stays as their parent (RFC 9051 6.3.5). */
	int (*mailbox_delete)(
		struct ph_actor actor, ph_account_id account, struct ph_str name, struct ph_error *error);
	/* With its children; renaming INBOX moves its messages to a new mailbox (RFC 9051 6.3.6). */
	int (*mailbox_rename)(struct ph_actor actor, ph_account_id account, struct ph_str from,
		struct ph_str to, struct ph_error *error);
	int (*mailbox_subscribe)(struct ph_actor actor, ph_account_id account, struct ph_str name,
		bool subscribed, struct ph_error *error);
	int (*mailbox_status)(struct ph_actor actor, ph_account_id account, struct ph_str name,
		struct ph_mailbox_status *status_r, struct ph_error *error);

	/* --- an open mailbox --- */

	/* With a view of all its messages. Unless read_only, the messages that were \Recent become this
	 * session's. */
	int (*mailbox_open)(struct ph_actor actor, ph_account_id account, struct ph_str name, bool read_only,
		struct ph_mailbox **mailbox_r, struct ph_error *error);
	/* Does not park. NULL is allowed; clears the pointer. */
	void (*mailbox_close)(struct ph_mailbox **mailbox);
	/* As of the view; does not park. */
	void (*mailbox_view_status)(const struct ph_mailbox *mailbox, struct ph_mailbox_status *status_r);
	/* All keywords the mailbox knows, as of the view; does not park; valid until the next refresh. */
	void (*mailbox_keywords)(
		const struct ph_mailbox *mailbox, const struct ph_str **keywords_r, size_t *count_r);
	/* Brings the view up to date and tells what is new. Without `expunges`, messages that went stay in
	 * the view (RFC 3501 7.4.1: no EXPUNGE during FETCH, STORE, SEARCH); they are told of at a later
	 * refresh, and until then reading them gives PH_E_ABSENT. */
	int (*mailbox_refresh)(struct ph_mailbox *mailbox, bool expunges, struct ph_pool *pool,
		struct ph_mailbox_news *news_r, struct ph_error *error);
	/* What changed after `modseq`. */
	int (*mailbox_changes)(struct ph_mailbox *mailbox, uint64_t modseq,
		struct ph_mailbox_changes *changes_r, struct ph_error *error);
	/* Calls changed(arg) from the loop when the mailbox may have changed; one watch for each open
	 * mailbox; NULL ends it. Does not park. */
	void (*mailbox_watch)(struct ph_mailbox *mailbox, void (*changed)(void *arg), void *arg);

	/* The view; these do not park. Sequence numbers begin at 1; 0 is "none". */
	uint32_t (*view_count)(const struct ph_mailbox *mailbox);
	uint32_t (*view_uid)(const struct ph_mailbox *mailbox, uint32_t sequence);
	uint32_t (*view_sequence)(const struct ph_mailbox *mailbox, uint32_t uid);
	/* The largest UID in the view (0: empty). */
	uint32_t (*view_last_uid)(const struct ph_mailbox *mailbox);
	/* All UIDs of the view that lie in the range of sequence numbers (both ends included), added to *set.
	 */
	void (*view_uids)(
		const struct ph_mailbox *mailbox, uint32_t first, uint32_t last, struct ph_uid_set *set);

	/* --- reading messages --- */

	/* Walks the messages of the view that are in `uids` (NULL: all), ascending; `parts` are
	 * ph_message_parts bits. begin does not park and cannot fail; next may park and shows a message that
	 * stays valid until the next call; end frees and gives the error that ended the walk early, or 0.
	 * Messages that went meanwhile are left out. */
	struct ph_message_iterator *(*messages_begin)(
		struct ph_mailbox *mailbox, const struct ph_uid_set *uids, unsigned parts);
	bool (*messages_next)(struct ph_message_iterator *iterator, const struct ph_message **message_r);
	int (*messages_end)(struct ph_message_iterator **iterator, struct ph_error *error);
	/* Finds which messages of the view carry the flag (or, unless `set`, do not), without looking at any,
	 * and adds them to *uids: as it is now, which may be later than the view, so that among those without
	 * it there may be some that went. PH_E_UNSUPPORTED: not known, for flags other than \Seen and
	 * \Deleted, and in a mailbox that needs to be repaired. */
	int (*messages_flagged)(struct ph_mailbox *mailbox, enum ph_flag flag, bool set,
		struct ph_uid_set *uids, struct ph_error *error);
	/* EMAILID (RFC 8474): the same for copies, and for them only. Does not park. */
	void (*message_email_id)(const struct ph_message *message, char id_r[PH_EMAIL_ID_SIZE]);
	/* THREADID (RFC 8474, 5.2): the same for the messages of one account that share a Message-ID, by
	 * their own or by References and In-Reply-To, and a base subject; it never changes. False when the
	 * message was stored before there were threads. Does not park. */
	bool (*message_thread_id)(const struct ph_message *message, char id_r[PH_THREAD_ID_SIZE]);
	/* The message's bytes: open, size, view, close as of a blob in kv.h. PH_E_CORRUPT: they do not read
	 * back; that is logged here, once, with account, mailbox and UID, and the error tells the client
	 * which message it is, and has no detail, since nothing is left to be logged. */
	int (*message_open)(struct ph_mailbox *mailbox, const struct ph_message *message,
		struct ph_message_bytes **bytes_r, struct ph_error *error);
	uint64_t (*message_size)(const struct ph_message_bytes *bytes);
	int (*message_view)(struct ph_message_bytes *bytes, uint64_t offset, struct ph_str *part_r,
		struct ph_error *error);
	/* May park. Reads these bytes (size: UINT64_MAX for all behind the offset), so that a failure is
	 * known before they are promised to a client. */
	int (*message_check)(
		struct ph_message_bytes *bytes, uint64_t offset, uint64_t size, struct ph_error *error);
	void (*message_close)(struct ph_message_bytes **bytes);

	/* --- changing messages. The mailbox must not be open read-only (PH_E_DENIED). --- */

	/* Changes flags of those messages that are there; `unchanged_since` (0: none) leaves out messages
	 * whose modseq is greater, and adds them to *modified_r (which may be NULL). Many messages are
	 * changed in several transactions, ascending, so that others need not wait long: after a failure some
	 * may be changed. */
	int (*messages_flag)(struct ph_actor actor, struct ph_mailbox *mailbox, const struct ph_uid_set *uids,
		enum ph_flag_operation operation, const struct ph_flag_list *flags, uint64_t unchanged_since,
		struct ph_uid_set *modified_r, struct ph_error *error);
	/* Removes those of `uids` (NULL: of all) that carry \Deleted, or, with `any`, all of `uids`;
	 * *expunged_r may be NULL. The view changes at the next refresh. Many go in several transactions, as
	 * with flags. */
	int (*messages_expunge)(struct ph_actor actor, struct ph_mailbox *mailbox,
		const struct ph_uid_set *uids, bool any, struct ph_uid_set *expunged_r,
		struct ph_error *error);
	/* To a mailbox of any account the actor may write to; keeps flags, keywords, internal date; copies no
	 * bytes. PH_E_ABSENT when there is no such target, PH_E_QUOTA when its account has no room. Many are
	 * copied in several transactions, so that others need not wait long; after a failure none are left,
	 * but after a crash some may be. With `move` each original goes in the transaction of its copy where
	 * the kv can, and else only after the copy is durable; what was moved before a failure stays moved.
	 * The sets of *copied_r are to be freed with uid_set_free. */
	int (*messages_copy)(struct ph_actor actor, struct ph_mailbox *mailbox, const struct ph_uid_set *uids,
		ph_account_id account, struct ph_str target, bool move, struct ph_copied *copied_r,
		struct ph_error *error);

	/* --- new messages --- */

	/* Never fails and does not park; failures show in write. */
	struct ph_draft *(*draft_new)(void);
	int (*draft_write)(struct ph_draft *draft, struct ph_str bytes, struct ph_error *error);
	uint64_t (*draft_size)(const struct ph_draft *draft);
	/* After the last write: the parsed message (in the draft's memory), and reading its bytes. */
	int (*draft_finish)(
		struct ph_draft *draft, const struct ph_mime_message **message_r, struct ph_error *error);
	int (*draft_view)(
		struct ph_draft *draft, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error);
	/* The draft's bytes for the MIME module. Parks as draft_view does. */
	struct ph_mime_source (*draft_source)(struct ph_draft *draft);
	void (*draft_free)(struct ph_draft **draft);
	/* Stores one finished draft at all destinations, its bytes once. Each destination gets its result;
	 * where the kv can, all are written together in one flush. PH_E_QUOTA, PH_E_ABSENT and other troubles
	 * of one destination do not keep the others from getting the message. Returns 0 when all did.
	 * internal_date 0: now. */
	int (*deliver)(struct ph_actor actor, struct ph_draft *draft, int64_t internal_date,
		int32_t internal_zone, struct ph_destination *destinations, size_t count,
		struct ph_error *error);

	/* --- one session at a time (POP3 maildrops) --- */

	/* PH_E_BUSY when another session, in any worker, holds it. The lock goes with the process. */
	int (*maildrop_lock)(struct ph_actor actor, ph_account_id account, struct ph_error *error);
	void (*maildrop_unlock)(struct ph_actor actor, ph_account_id account);

	/* --- sets of UIDs; none of these parks --- */

	void (*uid_set_add)(struct ph_uid_set *set, uint32_t first, uint32_t last);
	bool (*uid_set_has)(const struct ph_uid_set *set, uint32_t uid);
	uint64_t (*uid_set_count)(const struct ph_uid_set *set);
	/* Adds to *set what is in `a`, and not in `b`. */
	void (*uid_set_add_rest)(
		struct ph_uid_set *set, const struct ph_uid_set *a, const struct ph_uid_set *b);
	void (*uid_set_free)(struct ph_uid_set *set);
};

#endif
