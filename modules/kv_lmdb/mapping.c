/* Segments stay mapped while blobs in them are open, and some of them longer. A page that is not in memory is
 * read on an offload thread first: the loop does not wait for the disk, and a disk that fails gives an error
 * where the mapping would give a signal. */
#include <config.h>

#include "mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <posthorn/list.h>
#include <posthorn/mem.h>
#include <posthorn/offload.h>

#include "file.h"
#include "journal.h"
#include "large.h"

/* Mappings that are kept though nobody uses them. */
#define UNUSED_MAX 32
#define PAGE 4096
#define PAGES_MAX 64
/* What is read from the disk at once. */
#define READ_SIZE (256 * 1024)

struct mapping {
	struct ph_list link;
	uint64_t segment; /* 0: a file of its own */
	int fd;
	char *base;
	uint64_t size;
	unsigned users;
};

/* Segments, the least recently used first. */
static struct ph_list mappings;
static unsigned unused;

void mapping_open(void)
{
	ph_list_init(&mappings);
	unused = 0;
}

static void unmap(struct mapping *mapping)
{
	ph_list_remove(&mapping->link);
	if (mapping->size > 0)
		munmap(mapping->base, (size_t)mapping->size);
	file_operations.close(mapping->fd);
	free(mapping);
}

static void unmap_unused(unsigned keep)
{
	PH_LIST_EACH (&mappings, node) {
		struct mapping *mapping = ph_container_of(node, struct mapping, link);

		if (unused <= keep)
			return;
		if (mapping->users > 0)
			continue;
		unused--;
		unmap(mapping);
	}
}

void mapping_close(void)
{
	unmap_unused(0);
}

static int map_file(int fd, uint64_t segment, struct mapping **mapping_r)
{
	struct mapping *mapping;
	uint64_t size;
	void *base = NULL;
	int rc = file_size(fd, &size);

	if (rc)
		return rc;
	if (size > 0)
		base = file_operations.map(fd, (size_t)size);
	if (base == MAP_FAILED)
		return errno;
	mapping = ph_alloc(sizeof(*mapping));
	*mapping = (struct mapping){ .segment = segment, .fd = fd, .base = base, .size = size };
	ph_list_init(&mapping->link);
	*mapping_r = mapping;
	return 0;
}

static int open_file(const struct ph_kv_blob_id *id, uint64_t segment)
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

static struct mapping *find(uint64_t segment, uint64_t end)
{
	PH_LIST_EACH (&mappings, node) {
		struct mapping *mapping = ph_container_of(node, struct mapping, link);

		if (mapping->segment == segment && mapping->size >= end)
			return mapping;
	}
	return NULL;
}

/* A segment that has grown since it was mapped is mapped once more. */
int mapping_take(const struct ph_kv_blob_id *id, const struct stored *stored, struct mapping **mapping_r)
{
	uint64_t end = stored->offset + stored_bytes(stored);
	struct mapping *mapping = stored->segment > 0 ? find(stored->segment, end) : NULL;
	int fd, rc;

	if (mapping) {
		unused -= mapping->users == 0;
	} else {
		fd = open_file(id, stored->segment);
		if (fd < 0)
			return errno;
		rc = map_file(fd, stored->segment, &mapping);
		if (!rc && mapping->size < end) {
			unmap(mapping);
			return EIO;
		}
		if (rc) {
			file_operations.close(fd);
			return rc;
		}
	}
	ph_list_remove(&mapping->link);
	ph_list_append(&mappings, &mapping->link);
	mapping->users++;
	*mapping_r = mapping;
	return 0;
}

void mapping_drop(struct mapping **mapping)
{
	struct mapping *dropped = *mapping;

	*mapping = NULL;
	if (!dropped || --dropped->users > 0)
		return;
	if (dropped->segment == 0) {
		unmap(dropped);
		return;
	}
	unused++;
	unmap_unused(UNUSED_MAX);
}

static bool in_memory(const struct mapping *mapping, uint64_t from, uint64_t end)
{
	unsigned char pages[PAGES_MAX];
	size_t count = (size_t)((end - from + PAGE - 1) / PAGE);

	if (count > PAGES_MAX || mincore(mapping->base + from, (size_t)(end - from), pages) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!(pages[i] & 1))
			return false;
	return true;
}

struct reading {
	int fd, result;
	uint64_t offset;
	size_t size;
};

/* On an offload thread: brings the bytes into the page cache. */
static void read_ahead(void *arg)
{
	struct reading *reading = arg;
	char *bytes = ph_alloc(reading->size);

	reading->result = file_read(reading->fd, bytes, reading->size, reading->offset);
	free(bytes);
}

int mapping_bytes(struct mapping *mapping, uint64_t offset, size_t size, const char **bytes_r)
{
	uint64_t from = offset / PAGE * PAGE, left = mapping->size - from;
	struct reading reading = { .fd = mapping->fd, .offset = from };

	*bytes_r = mapping->base + offset;
	if (in_memory(mapping, from, offset + size))
		return 0;
	reading.size = left < READ_SIZE ? (size_t)left : READ_SIZE;
	if (ph_offload(read_ahead, &reading) < 0)
		read_ahead(&reading);
	return reading.result;
}
