/* The module: its options and its descriptor. */
#include <config.h>

#include <posthorn/module.h>
#include <posthorn/service.h>

#include "store.h"
#include "tool.h"
#include "transfer/import.h"

static struct store_config config;

#define USE(member, name, use)                                                      \
	PH_OPTION_TEXT(struct store_special_use, member, name, PH_MAILBOX_NAME_MAX, \
		"The mailbox for " use " that each new account gets; empty: none.")

static const struct ph_option special_use_options[] = { USE(archive, "Archive", "archived messages"),
	USE(drafts, "Drafts", "drafts"), USE(junk, "Junk", "junk"), USE(sent, "Sent", "sent messages"),
	USE(trash, "Trash", "messages to be deleted"), PH_OPTIONS_END };

static const struct ph_option options[] = { PH_OPTION_NUMBER(struct store_config, mailboxes, "10000", 1,
						    10000000, "How many mailboxes an account may have."),
	PH_OPTION_NUMBER(
		struct store_config, depth, "32", 1, 500, "How many levels the name of a mailbox may have."),
	PH_OPTION_NUMBER(struct store_config, keywords, "1000", 0, 65535,
		"How many different keywords the messages of one mailbox may have."),
	PH_OPTION_NUMBER(struct store_config, changes, "10000", 1, 10000000,
		"How many changes of flags and expunges each mailbox remembers, so that clients are told of "
		"them quickly."),
	PH_OPTION_SIZE(struct store_config, quota_bytes, "0", 0, INT64_MAX,
		"How much mail an account may have, unless it was given a limit of its own; 0: as much as "
		"there is room for."),
	PH_OPTION_NUMBER(struct store_config, quota_messages, "0", 0, INT64_MAX,
		"How many messages an account may have, unless it was given a limit of its own; 0: any "
		"number."),
	PH_OPTION_TABLE(struct store_config, special_use, special_use_options,
		"The mailboxes besides INBOX that each new account gets (RFC 6154)."),
	PH_OPTIONS_END };

static int start(struct ph_error *error)
{
	const struct ph_core_config *core = ph_core_config();
	const struct store parts = {
		.kv = ph_service(PH_KV_SERVICE),
		.backup = ph_service(PH_KV_BACKUP_SERVICE),
		.damage = ph_service(PH_KV_DAMAGE_SERVICE),
		.mime = ph_service("mime/1"),
		.address = ph_service("address/1"),
		.config = &config,
		.domains = &core->domains,
		.data_directory = core->data_directory,
	};

	return store_open(&parts, error);
}

const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "store",
	.summary = "Accounts, mailboxes and messages, kept by a kv service.",
	.provides = (const char *const[]){ PH_STORE_SERVICE, PH_IMPORT_SERVICE, NULL },
	.needs = (const char *const[]){ PH_KV_SERVICE, "mime/1", "address/1", NULL },
	.services = (const void *const[]){ &store_service, &import_service },
	.options = options,
	.config = &config,
	.tools = store_tools,
	.start = start,
	.stop = store_close,
};
