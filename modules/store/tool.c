/* The commands of the store: table, and what they share. */
#include <config.h>

#include "tool.h"

#include <posthorn/mem.h>

#include "account.h"

int tool_find_account(const char *address, ph_account_id *id_r)
{
	struct ph_error error = { 0 };
	struct ph_account account = { 0 };
	struct ph_pool *pool = ph_pool_new(0);
	int result = account_find(PH_ACTOR_SYSTEM, ph_str(address), pool, &account, &error);

	*id_r = account.id;
	ph_pool_free(&pool);
	return result < 0 ? ph_tool_failed(address, &error) : PH_EXIT_OK;
}

const struct ph_tool store_tools[] = {
	{ "account quota", "ADDRESS [--bytes N] [--messages N]",
		"Shows what an account's mail takes, or sets what it may take.\n"
		"N is a number (also with K, M or G behind it), none, or default: as the configuration says.",
		quota_tool },
	{ "store check", "[--quick] [ADDRESS]",
		"Checks all that is stored, or one account; may run beside the server.\n"
		"Prints each fault with account, mailbox and UID, and fails when there are any.\n"
		"--quick does not read the messages' bytes.",
		check_tool },
	{ "store repair", "[--quick] [ADDRESS]",
		"Checks, and repairs what can be: counters, usage, summaries of messages.\n"
		"Fails when faults are left. Messages are never dropped.",
		repair_tool },
	{ "store restore", "FOLDER [--damaged] | FOLDER --account ADDRESS [--as ADDRESS]",
		"Puts a backup in the place of the whole store, or takes one account out of it.\n"
		"The whole: the server must be stopped. A copy of the backup is checked, and takes the\n"
		"place of the store, which is kept beside it. When faults are found nothing is changed,\n"
		"unless --damaged is given. Mailboxes get new UIDVALIDITYs, so that clients read them anew.\n"
		"--account: may run beside the server. An account that is gone comes back as it was; one\n"
		"that exists gets back the messages it has not any more, and nothing else is touched. May\n"
		"be run again. --as: into the account of that address. Quotas do not count here.",
		restore_tool },
	{ "import maildir", "PATH ADDRESS",
		"Takes over a maildir with its folders into an account.\n"
		"Flags, dates and keywords are kept; with Dovecot's lists also UIDs and UIDVALIDITY, where\n"
		"the mailbox was empty. May be run again: it goes on, and takes nothing twice. What cannot\n"
		"be taken is listed with the reason, and makes it fail. Quotas do not count here.",
		import_maildir_tool },
	{ "import mbox", "PATH ADDRESS",
		"Takes over an mbox file into INBOX, or a folder of such files into the mailboxes of their "
		"names.\n"
		"As of import maildir; the fields X-UID, X-IMAPbase, Status, X-Status and X-Keywords are\n"
		"taken for what they mean.",
		import_mbox_tool },
	{ "export maildir", "ADDRESS PATH",
		"Writes an account's mail to a maildir with folders, and Dovecot's lists of UIDs and "
		"keywords.\n"
		"May be run again: what is there already is left, but for its flags.",
		export_maildir_tool },
	{ "export mbox", "ADDRESS PATH",
		"Writes an account's mail to a folder, one mbox file for each mailbox.", export_mbox_tool },
	{ 0 },
};
