/* What stands in a maildir: names of folders and files, and Dovecot's lists; the first byte chooses. */
#include <config.h>

#include <posthorn/error.h>
#include <posthorn/import.h>
#include <posthorn/store.h>

#include "../../modules/store/transfer/maildir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_ascii(struct ph_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	}
	return true;
}

/* A name that was read is written so that it reads back as the same. */
static void fuzz_folder(struct ph_str folder)
{
	struct ph_buf name, written, again;

	ph_buf_init(&name, 1 << 20);
	ph_buf_init(&written, 1 << 20);
	ph_buf_init(&again, 1 << 20);
	/* Those of 8-bit names must be UTF-8, which the store sees to. */
	if (is_ascii(folder) && maildir_mailbox_name(folder, &name)) {
		maildir_folder_name(ph_buf_str(&name), &written);
		PH_ASSERT(maildir_mailbox_name(ph_buf_str(&written), &again));
		PH_ASSERT(ph_str_eq(ph_buf_str(&name), ph_buf_str(&again)));
	}
	ph_buf_free(&name);
	ph_buf_free(&written);
	ph_buf_free(&again);
}

static void fuzz_file(struct ph_str file)
{
	struct ph_str unique = maildir_unique_name(file), letters = maildir_flags(file);
	struct ph_buf written;
	unsigned flags = 0, again = 0;

	PH_ASSERT(ph_str_starts(file, unique) && ph_str_ends(file, letters));
	for (size_t i = 0; i < letters.len; i++)
		flags |= maildir_flag_of(letters.data[i]);
	ph_buf_init(&written, 100);
	maildir_print_flags(flags, &written);
	for (size_t i = 0; i < written.len; i++)
		again |= maildir_flag_of(written.data[i]);
	PH_ASSERT(flags == again);
	ph_buf_free(&written);
}

static void fuzz_list(struct ph_str text,
	bool (*take)(struct ph_str line, struct ph_pool *pool, struct maildir_lists *lists))
{
	struct ph_pool *pool = ph_pool_new(0);
	struct maildir_lists lists = { .uids = ph_map_new() };
	struct ph_str line, file;
	void *uid;

	while (ph_str_split(&text, '\n', &line))
		take(ph_str_trim(line), pool, &lists);
	for (size_t cursor = 0; ph_map_next(lists.uids, &cursor, &file, &uid);)
		PH_ASSERT((uintptr_t)uid > 0 && (uintptr_t)uid <= PH_IMPORT_UID_MAX &&
			  lists.uid_next > (uintptr_t)uid);
	maildir_free_lists(&lists);
	ph_pool_free(&pool);
}

static void fuzz_subscription(struct ph_str line)
{
	struct ph_buf name;

	ph_buf_init(&name, PH_MAILBOX_NAME_MAX * 3);
	if (maildir_subscription(line, &name))
		PH_ASSERT(name.len > 0 && !name.failed);
	ph_buf_free(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_str text;

	if (size == 0)
		return 0;
	text = ph_str_of(data + 1, size - 1);
	switch (data[0] % 5) {
	case 0:
		fuzz_folder(text);
		break;
	case 1:
		fuzz_file(text);
		break;
	case 2:
		fuzz_list(text, maildir_take_uid);
		break;
	case 3:
		fuzz_list(text, maildir_take_keyword);
		break;
	default:
		fuzz_subscription(text);
	}
	return 0;
}
