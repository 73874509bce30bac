/* Segments stay open while blobs in them are, and a moment longer; no more, since a segment that was removed
 * takes its space until nobody has it open. What is in memory is copied at once;
 * what is not is read on an offload thread, so that the loop does not wait for the disk.
 *
 * Bytes are copied rather than shown in a mapping of the file: a disk that fails while a mapping is looked
 * at, or a file that was cut, ends the process with a signal, and a copy gives an error. */
#include <config.h>

#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include <posthorn/list.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>
#include <posthorn/offload.h>

#include "file.h"
#include "journal.h"
#include "large.h"

/* Files that are kept though nobody uses them. */
#define UNUSED_MAX 32
#define UNUSED_MSEC 1000
/* What is fetched from the disk at once: readers mostly go on. */
#define AHEAD_SIZE (256 * 1024)

struct source_file {
	struct ph_list link;
	uint64_t segment; /* 0: a file of its own */
	int fd;
	unsigned users;
};

/* Segments, the least recently used first. */
static struct ph_list files;
static unsigned unused;
static struct ph_timer timer;

void source_open(void)
{
	ph_list_init(&files);
	unused = 0;
}

static void close_file(struct source_file *file)
{
	ph_list_remove(&file->link);
	file_operations.close(file->fd);
	free(file);
}

static void close_unused(unsigned keep)
{
	PH_LIST_EACH (&files, node) {
		struct source_file *file = ph_container_of(node, struct source_file, link);

		if (unused <= keep)
			return;
		if (file->users > 0)
			continue;
		unused--;
		close_file(file);
	}
}

void source_close(void)
{
	ph_timer_stop(&timer);
	close_unused(0);
}

static void on_timer(void *arg)
{
	(void)arg;
	close_unused(0);
}

static int open_once(const struct ph_kv_blob_id *id, uint64_t segment)
{
	char *path;
	int fd;

	if (segment == 0)
		return large_open_blob(id);
	path = file_number_path(journal_directory(), segment);
	fd = file_operations.open(path, O_RDONLY);
	free(path);
	return fd;
}

/* Where descriptors are short, those that are only kept go first. */
static int open_file(const struct ph_kv_blob_id *id, uint64_t segment)
{
	int fd = open_once(id, segment);

	if (fd >= 0 || (errno != EMFILE && errno != ENFILE) || unused == 0)
		return fd;
	close_unused(0);
	return open_once(id, segment);
}

static struct source_file *find(uint64_t segment)
{
	PH_LIST_EACH (&files, node) {
		struct source_file *file = ph_container_of(node, struct source_file, link);

		if (file->segment == segment)
			return file;
	}
	return NULL;
}

int source_take(const struct ph_kv_blob_id *id, const struct stored *stored, struct source_file **file_r)
{
	struct source_file *file = stored->segment > 0 ? find(stored->segment) : NULL;
	int fd;

	if (file) {
		unused -= file->users == 0;
		ph_list_remove(&file->link);
	} else {
		fd = open_file(id, stored->segment);
		if (fd < 0)
			return errno;
		file = ph_alloc(sizeof(*file));
		*file = (struct source_file){ .segment = stored->segment, .fd = fd };
	}
	ph_list_append(&files, &file->link);
	file->users++;
	*file_r = file;
	return 0;
}

struct source_file *source_of(int fd)
{
	struct source_file *file = ph_alloc(sizeof(*file));

	*file = (struct source_file){ .fd = fd, .users = 1 };
	ph_list_append(&files, &file->link);
	return file;
}

void source_drop(struct source_file **file)
{
	struct source_file *dropped = *file;

	*file = NULL;
	if (!dropped || --dropped->users > 0)
		return;
	if (dropped->segment == 0) {
		close_file(dropped);
		return;
	}
	if (unused++ == 0)
		ph_timer_start(&timer, UNUSED_MSEC, on_timer, NULL);
	close_unused(UNUSED_MAX);
}

struct reading {
	int fd, result;
	uint64_t offset;
	size_t size;
	char *to;
};

/* On an offload thread. */
static void read_waiting(void *arg)
{
	struct reading *reading = arg;

	(void)posix_fadvise(reading->fd, (off_t)reading->offset, AHEAD_SIZE, POSIX_FADV_WILLNEED);
	reading->result = file_read(reading->fd, reading->to, reading->size, reading->offset);
}

int source_read(struct source_file *file, uint64_t offset, size_t size, char *to)
{
	struct reading reading = { .fd = file->fd, .offset = offset, .size = size, .to = to };

	if (file_read_cached(file->fd, to, size, offset))
		return 0;
	if (ph_offload(read_waiting, &reading) < 0)
		read_waiting(&reading);
	return reading.result;
}
