/* Going through an account's mailboxes to write them to files. */
#include <config.h>

#include "export.h"

#include <inttypes.h>

#include <posthorn/mem.h>
#include <posthorn/tool.h>

#include "../usage.h"

void export_complain(struct ph_str mailbox, uint32_t uid, const char *what, const char *why)
{
	ph_progress_hide();
	printf("%.*s", PH_STR_ARGS(mailbox));
	if (uid != 0)
		printf("\tUID %" PRIu32, uid);
	if (what)
		printf("\t%s", what);
	printf("\t%s\n", why);
}

void export_refuse(struct export *export, struct ph_str mailbox, uint32_t uid, const char *why)
{
	export->refused++;
	export_complain(mailbox, uid, NULL, why);
}

void export_progress(const struct export *export, struct ph_str mailbox)
{
	ph_progress(mailbox, export->written + export->there + export->refused, export->total);
}

int export_each(struct export *export,
	int (*write)(struct export *export, const struct ph_mailbox_entry *entry, struct ph_mailbox *mailbox,
		struct ph_error *error),
	struct ph_error *error)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_mailbox_entry *entries;
	size_t count;
	struct ph_quota quota;
	int result = mailbox_list(PH_ACTOR_SYSTEM, export->account, pool, &entries, &count, error);

	if (result == 0 && account_quota(PH_ACTOR_SYSTEM, export->account, &quota, NULL) == 0)
		export->total = quota.messages;
	ph_progress_begin("messages");
	for (size_t i = 0; result == 0 && i < count; i++) {
		struct ph_mailbox *mailbox;

		if (!entries[i].exists)
			continue;
		result = mailbox_open(
			PH_ACTOR_SYSTEM, export->account, entries[i].name, true, &mailbox, error);
		if (result == 0)
			result = write(export, &entries[i], mailbox, error);
		mailbox_close(&mailbox);
	}
	ph_pool_free(&pool);
	return result;
}
