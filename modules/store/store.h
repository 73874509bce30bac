/* What all parts of the module share: the services below it, its configuration, and the three kinds of
 * partitions. */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/address.h>
#include <posthorn/conf.h>
#include <posthorn/kv.h>
#include <posthorn/kv_backup.h>
#include <posthorn/kv_damage.h>
#include <posthorn/mime.h>
#include <posthorn/store.h>

struct store_special_use {
	const char *archive;
	const char *drafts;
	const char *junk;
	const char *sent;
	const char *trash;
};

struct store_config {
	int64_t mailboxes;
	int64_t depth;
	int64_t keywords;
	int64_t changes;
	int64_t quota_bytes;
	int64_t quota_messages;
	struct store_special_use special_use;
};

struct store {
	const struct ph_kv_service *kv;
	const struct ph_kv_backup_service *backup; /* NULL: the kv has none */
	const struct ph_kv_damage_service *damage; /* NULL: the kv has none */
	const struct ph_mime_service *mime;
	const struct ph_address_service *address;
	const struct store_config *config;
	const struct ph_text_list *domains;
	const char *data_directory;
};

extern struct store store;
extern const struct ph_store_service store_service;

/* In a process, with the kv started. May park. */
int store_open(const struct store *parts, struct ph_error *error);
/* May park. */
void store_close(void);

/* --- partitions --- */

enum { KIND_DIRECTORY = 1, KIND_ACCOUNT = 2, KIND_MAILBOX = 3 };

static inline struct ph_kv_partition directory_partition(void)
{
	return (struct ph_kv_partition){ KIND_DIRECTORY, 0 };
}

static inline struct ph_kv_partition account_partition(ph_account_id account)
{
	return (struct ph_kv_partition){ KIND_ACCOUNT, account };
}

static inline struct ph_kv_partition mailbox_partition(uint64_t mailbox)
{
	return (struct ph_kv_partition){ KIND_MAILBOX, mailbox };
}

/* An update or a read of one partition. May park. */
int store_update(struct ph_kv_partition partition, ph_kv_run *run, void *arg, struct ph_error *error);
int store_read(struct ph_kv_partition partition, ph_kv_run *run, void *arg, struct ph_error *error);

/* --- rights and errors --- */

/* The one place where it is decided who may use whose mail. */
bool store_may_use(struct ph_actor actor, ph_account_id account);
/* Gives the client's words to what a function of ours refused; what the kv reported keeps its own. */
int store_explain(int code, const char *thing, struct ph_error *error);

#endif
