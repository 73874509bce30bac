/* Maildrop locks: one byte of a file for each account, which keeps out other processes and goes with its own
 * (open file description locks, fcntl(2)); and a table of those this process holds. */
#include <config.h>

#include "maildrop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <posthorn/map.h>

static int file = -1;
static struct ph_map *held;

int maildrop_open(struct ph_error *error)
{
	char path[4096];

	held = ph_map_new();
	if ((size_t)snprintf(path, sizeof(path), "%s/maildrops.lock", store.data_directory) < sizeof(path))
		file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	else
		errno = ENAMETOOLONG;
	if (file >= 0)
		return 0;
	return ph_error_set(error, PH_E_IO, "the mail store cannot be opened", "%s/maildrops.lock: %s",
		store.data_directory, strerror(errno));
}

void maildrop_close(void)
{
	ph_map_free(&held);
	if (file >= 0)
		close(file);
	file = -1;
}

static bool lock_byte(ph_account_id account, short type)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)(account & INT64_MAX), .l_len = 1
	};

	return fcntl(file, F_OFD_SETLK, &lock) == 0;
}

int maildrop_lock(struct ph_actor actor, ph_account_id account, struct ph_error *error)
{
	struct ph_str key = { (const char *)&account, sizeof(account) };

	if (!store_may_use(actor, account))
		return store_explain(PH_E_ABSENT, "account", error);
	if (ph_map_get(held, key) || !lock_byte(account, F_WRLCK))
		return ph_error_set(error, PH_E_BUSY, "another session is using this maildrop", NULL);
	ph_map_put(held, key, held);
	return 0;
}

void maildrop_unlock(struct ph_actor actor, ph_account_id account)
{
	struct ph_str key = { (const char *)&account, sizeof(account) };

	if (store_may_use(actor, account) && ph_map_remove(held, key))
		lock_byte(account, F_UNLCK);
}
