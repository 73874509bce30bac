/* Pins are locks on single bytes of a file, which go by themselves with the process that held them. A blob's
 * byte is told by the random part of its id. Readers share the lock through one open file, the committer
 * excludes them through another, so that it sees those of its own process too (open file description locks,
 * fcntl(2)). */
#include <config.h>

#include "pin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <posthorn/bytes.h>
#include <posthorn/map.h>
#include <posthorn/mem.h>

struct pin {
	unsigned count;
};

static int shared_fd = -1, exclusive_fd = -1;
static struct ph_map *pins; /* by the byte's offset: those of this process */

int pin_open(const char *directory)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s/pins.lock", directory) >= sizeof(path))
		return ENAMETOOLONG;
	shared_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	exclusive_fd = open(path, O_RDWR | O_CLOEXEC);
	pins = ph_map_new();
	return shared_fd < 0 || exclusive_fd < 0 ? errno : 0;
}

void pin_close(void)
{
	struct ph_str key;
	size_t cursor = 0;
	void *pin;

	while (pins && ph_map_next(pins, &cursor, &key, &pin))
		free(pin);
	ph_map_free(&pins);
	if (shared_fd >= 0)
		close(shared_fd);
	if (exclusive_fd >= 0)
		close(exclusive_fd);
	shared_fd = exclusive_fd = -1;
}

static uint64_t byte_of(struct ph_kv_blob_id id)
{
	return ph_bytes_get64(id.bytes + 8) >> 2;
}

static bool lock_bytes(int fd, short type, uint64_t offset, uint64_t length)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)offset, .l_len = (off_t)length
	};

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool pin_add(struct ph_kv_blob_id id)
{
	uint64_t byte = byte_of(id);
	struct ph_str key = { (const char *)&byte, sizeof(byte) };
	struct pin *pin = ph_map_get(pins, key);

	if (!pin) {
		if (!lock_bytes(shared_fd, F_RDLCK, byte, 1))
			return false;
		pin = ph_alloc(sizeof(*pin));
		ph_map_put(pins, key, pin);
	}
	pin->count++;
	return true;
}

void pin_drop(struct ph_kv_blob_id id)
{
	uint64_t byte = byte_of(id);
	struct ph_str key = { (const char *)&byte, sizeof(byte) };
	struct pin *pin = ph_map_get(pins, key);

	PH_ASSERT(pin);
	if (--pin->count > 0)
		return;
	ph_map_remove(pins, key);
	free(pin);
	lock_bytes(shared_fd, F_UNLCK, byte, 1);
}

bool pin_exclude(struct ph_kv_blob_id id)
{
	return lock_bytes(exclusive_fd, F_WRLCK, byte_of(id), 1);
}

void pin_exclude_none(void)
{
	lock_bytes(exclusive_fd, F_UNLCK, 0, 0);
}
