/* `posthorn store restore`. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../check/check_tool.h"
#include "../remove.h"
#include "../tool.h"
#include "restore.h"

struct wish {
	const char *folder;
	const char *account; /* NULL: the whole store */
	const char *as;
	bool damaged; /* although */
};

static bool parse(int argc, char **argv, struct wish *wish)
{
	for (int i = 0; i < argc; i++) {
		const char **value = strcmp(argv[i], "--account") == 0 ? &wish->account
				     : strcmp(argv[i], "--as") == 0    ? &wish->as
								       : NULL;

		if (strcmp(argv[i], "--damaged") == 0) {
			wish->damaged = true;
		} else if (value && i + 1 < argc) {
			*value = argv[++i];
		} else if (value || argv[i][0] == '-' || wish->folder) {
			fprintf(stderr, "posthorn: unexpected: %s\n", argv[i]);
			return false;
		} else {
			wish->folder = argv[i];
		}
	}
	if (!wish->folder || (wish->as && !wish->account) || (wish->damaged && wish->account)) {
		fputs("posthorn: name the backup's folder; --as goes with --account, --damaged without\n",
			stderr);
		return false;
	}
	return true;
}

/* --- one account --- */

static int restore_one(const struct wish *wish, struct ph_kv_backup *backup)
{
	const char *to = wish->as ? wish->as : wish->account;
	struct restore restore = { .backup = backup };
	struct ph_error error = { 0 };
	int result = restore_account(&restore, ph_str(wish->account), ph_str(to), &error);

	if (restore.is_new)
		printf("%s: made anew\n", to);
	if (result == 0 || restore.target != 0)
		printf("%" PRIu64 " messages restored, %" PRIu64 " there already, %" PRIu64 " refused\n",
			restore.taken, restore.there, restore.refused);
	if (result < 0)
		return ph_tool_failed(wish->account, &error);
	return restore.refused > 0 ? PH_EXIT_FAILED : PH_EXIT_OK;
}

/* --- the whole store --- */

static int check_copy(bool *good_r, struct ph_error *error)
{
	struct check check = { .repair = true, .tell = check_tell };
	int result;

	ph_progress_begin("messages");
	result = check_store(&check, 0, error);
	ph_progress_hide();
	printf("the backup: %" PRIu64 " messages, %" PRIu64 " faults, %" PRIu64 " repaired\n", check.messages,
		check.faults, check.repaired);
	*good_r = check.faults == check.repaired;
	return result;
}

static int prepare_copy(bool *good_r, struct ph_error *error)
{
	int result = check_copy(good_r, error);

	return result < 0 ? result : restore_renew(error);
}

/* In the copy; `good`: no damage was seen before. */
static int restore_copy(const struct wish *wish, bool good)
{
	struct ph_error error = { 0 };
	char *former = NULL;
	bool checked = false;
	int result = prepare_copy(&checked, &error);

	if (result == 0 && !wish->damaged && !(good && checked)) {
		store.backup->restore_cancel();
		fputs("posthorn: the backup is damaged; nothing was changed (--damaged restores what can be "
		      "read)\n",
			stderr);
		return PH_EXIT_FAILED;
	}
	if (result < 0)
		store.backup->restore_cancel();
	else
		result = store.backup->restore_end(&former, &error);
	if (result < 0)
		return ph_tool_failed(wish->folder, &error);
	puts("restored; all mailboxes have new UIDVALIDITYs");
	if (former)
		printf("the former store is in %s: remove it when it is not needed any more\n", former);
	free(former);
	return PH_EXIT_OK;
}

/* Nothing may be using the store that is replaced. */
static int restore_whole(const struct wish *wish, struct ph_kv_backup *backup, bool good)
{
	struct ph_error error = { 0 };

	remove_stop();
	if (store.backup->restore_begin(backup, &error) < 0)
		return ph_tool_failed(wish->folder, &error);
	return restore_copy(wish, good);
}

int restore_tool(int argc, char **argv)
{
	struct ph_kv_backup *backup = NULL;
	struct ph_error error = { 0 };
	struct wish wish = { 0 };
	unsigned damages = 0;
	int status;

	if (!parse(argc, argv, &wish))
		return PH_EXIT_USAGE;
	if (!store.backup) {
		fputs("posthorn: the store's provider has no backups\n", stderr);
		return PH_EXIT_FAILED;
	}
	if (store.backup->open(wish.folder, &backup, &damages, &error) < 0)
		return ph_tool_failed(wish.folder, &error);
	if (damages > 0)
		fprintf(stderr, "posthorn: %u parts of the backup do not read back\n", damages);
	status = wish.account ? restore_one(&wish, backup) : restore_whole(&wish, backup, damages == 0);
	store.backup->close(&backup);
	return status;
}
