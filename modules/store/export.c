/* Going through an account's mailboxes to write them to files. */
#include <config.h>

#include "export.h"

#include <inttypes.h>
#include <unistd.h>

#include <posthorn/mem.h>

void export_complain(struct ph_str mailbox, uint32_t uid, const char *what, const char *why)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
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
	if (export->written % 64 == 0 && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%.*s: %" PRIu64 " messages", PH_STR_ARGS(mailbox), export->written);
}

int export_each(struct export *export,
	int (*write)(struct export *export, const struct ph_mailbox_entry *entry, struct ph_mailbox *mailbox,
		struct ph_error *error),
	struct ph_error *error)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_mailbox_entry *entries;
	size_t count;
	int result = mailbox_list(PH_ACTOR_SYSTEM, export->account, pool, &entries, &count, error);

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
