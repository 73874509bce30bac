/* What is stored, byte by byte: the keys of each kind of partition and the values behind them.
 *
 *   directory (one)      n                  counters: next account, least UIDVALIDITY of the next account
 *                        a ADDRESS          -> account
 *                        i ACCOUNT          -> account_record
 *                        d DOMAIN           -> how many accounts are in it
 *                        r ACCOUNT          an account that is being removed
 *                        x MAILBOX          a mailbox that is being removed
 *                        t                  the secret behind the keys of threads
 *   account (each)       c                  -> counters
 *                        m NAME             -> mailbox_record
 *                        s NAME             a subscription -> the name
 *                        x MAILBOX          a mailbox that is being removed
 *                        q                  -> usage: what all its mail takes
 *                        Q                  -> usage: its own limits
 *                        t KEY              -> thread_entry: the thread of messages with this key
 *   mailbox (each)       m                  -> meta
 *                        k NUMBER, K name   -> keyword by number, number by keyword in lower case
 *                        u UID              -> message_record
 *                        s UID              -> summary
 *                        i TEXT             a message that was imported, by its name elsewhere
 *                        l MODSEQ KIND      what one transaction changed -> set of UIDs
 *                        g PIECE            UIDs that are gone, a piece for each 1,024 -> set of UIDs
 *                        S PIECE, D PIECE   the same of those that are \Seen, \Deleted
 *
 * A mailbox exists as long as its meta does; an account, as long as its i record does. Numbers of accounts
 * and mailboxes are never used twice. */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/kv.h>
#include <posthorn/store.h>

struct key {
	char bytes[PH_KV_KEY_MAX];
};

struct ph_str key_plain(struct key *key, char kind);
struct ph_str key_32(struct key *key, char kind, uint32_t number);
struct ph_str key_64(struct key *key, char kind, uint64_t number);
/* In lower case (ASCII), cut at the longest key: for texts that are checked to be shorter. */
struct ph_str key_text(struct key *key, char kind, struct ph_str text);

/* Decoding gives 0 or PH_E_CORRUPT; texts are views into the value. Encoding writes to `to` and gives the
 * length. */

struct account_record {
	int64_t created;
	bool disabled;
	struct ph_str address;
	struct ph_str password_hash;
};
#define ACCOUNT_RECORD_MAX 2048
int account_record_decode(struct ph_str value, struct account_record *record_r);
/* 0 when it is too long. */
size_t account_record_encode(const struct account_record *record, char *to);

/* "n" of the directory. */
struct directory_counters {
	uint64_t next_account;
	uint32_t uid_validity;
};
#define DIRECTORY_COUNTERS_SIZE 12
int directory_counters_decode(struct ph_str value, struct directory_counters *counters_r);
void directory_counters_encode(const struct directory_counters *counters, char *to);

/* "c" of an account. */
struct account_counters {
	uint32_t next_mailbox;
	uint32_t next_uid_validity;
	uint32_t mailboxes;
};
#define ACCOUNT_COUNTERS_SIZE 12
int account_counters_decode(struct ph_str value, struct account_counters *counters_r);
void account_counters_encode(const struct account_counters *counters, char *to);

/* "q" and "Q" of an account; also what changes them. */
struct usage {
	int64_t bytes;
	int64_t messages;
};
#define USAGE_SIZE 16
int usage_decode(struct ph_str value, struct usage *usage_r);
void usage_encode(const struct usage *usage, char *to);

struct mailbox_record {
	uint64_t number;
	uint32_t uid_validity;
	uint32_t special_use;
	struct ph_str name;
};
#define MAILBOX_RECORD_MAX (16 + PH_MAILBOX_NAME_MAX)
int mailbox_record_decode(struct ph_str value, struct mailbox_record *record_r);
size_t mailbox_record_encode(const struct mailbox_record *record, char *to);

struct meta {
	uint32_t uid_validity;
	uint32_t uid_next;
	uint32_t messages;
	uint32_t unseen;
	uint32_t deleted;
	uint32_t recent;
	uint32_t recent_from; /* from this UID on messages are \Recent */
	uint32_t keywords;
	uint64_t size;
	uint64_t highest_modseq;
	uint64_t log_from; /* the log tells all changes after this modseq */
	uint32_t log_entries;
};
#define META_SIZE 60
int meta_decode(struct ph_str value, struct meta *meta_r);
void meta_encode(const struct meta *meta, char *to);

/* Which messages a message belongs to: see thread.h. */
#define THREAD_KEYS_MAX 5
struct thread {
	uint64_t id; /* 0: it was stored before there were any */
	uint8_t count;
	uint64_t keys[THREAD_KEYS_MAX]; /* no two the same */
};

/* "t KEY" of an account. */
struct thread_entry {
	uint64_t id;
	uint32_t messages; /* that have the key; copies count each */
};
#define THREAD_ENTRY_SIZE 12
int thread_entry_decode(struct ph_str value, struct thread_entry *entry_r);
void thread_entry_encode(const struct thread_entry *entry, char *to);

struct message_record {
	unsigned flags;
	int32_t internal_zone;
	uint64_t modseq;
	int64_t internal_date;
	int64_t save_date;
	uint64_t size;
	struct ph_kv_blob_id blob;
	uint16_t keyword_count;
	const char *keywords; /* their numbers, ascending, two bytes each */
	struct thread thread;
};
size_t message_record_size(const struct message_record *record);
int message_record_decode(struct ph_str value, struct message_record *record_r);
/* The keywords' bytes may lie in `to` already. */
void message_record_encode(const struct message_record *record, char *to);
uint16_t message_record_keyword(const struct message_record *record, size_t index);

#endif
