/* Drafts. Up to 256 KB stay in memory; beyond, every 256 KB go to the file in one write on an offload thread,
 * since even writing to the page cache can block when the disk is behind. Reading back finds the bytes in the
 * cache. */
#include <config.h>

#include "draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <posthorn/buf.h>
#include <posthorn/bytes.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>
#include <posthorn/offload.h>

#include "environment.h"

#define MEMORY_MAX (256 * 1024)
#define VIEW_SIZE (64 * 1024)

struct ph_kv_draft {
	struct ph_kv_blob_id id;
	struct ph_buf memory; /* the bytes behind those in the file */
	int fd;               /* -1: no file yet */
	uint64_t in_file;
	int failure; /* errno of the first write that failed */
	char *view;
};

static const char *directory;

void kv_draft_set_directory(const char *path)
{
	directory = path;
}

/* Ids begin with the time, so that blobs that come together lie together and are written together. */
static struct ph_kv_blob_id make_id(void)
{
	struct ph_kv_blob_id id;
	unsigned char *random = id.bytes + 6;
	size_t have = 0;

	ph_bytes_put64(id.bytes, (uint64_t)ph_clock_msec() << 16);
	while (have < sizeof(id.bytes) - 6) {
		ssize_t got = getrandom(random + have, sizeof(id.bytes) - 6 - have, 0);

		if (got > 0)
			have += (size_t)got;
	}
	return id;
}

struct ph_kv_draft *kv_draft_new(void)
{
	struct ph_kv_draft *draft = ph_alloc(sizeof(*draft));

	draft->id = make_id();
	draft->fd = -1;
	ph_buf_init(&draft->memory, MEMORY_MAX);
	return draft;
}

static int open_nameless(void)
{
	char path[4096];
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	if ((size_t)snprintf(path, sizeof(path), "%s/draft-XXXXXX", directory) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int write_all(int fd, const char *data, size_t size, uint64_t offset)
{
	while (size > 0) {
		ssize_t done = pwrite(fd, data, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? errno : EIO;
		data += done;
		size -= (size_t)done;
		offset += (uint64_t)done;
	}
	return 0;
}

/* On an offload thread: moves what is in memory to the file. */
static void spill(void *arg)
{
	struct ph_kv_draft *draft = arg;

	if (draft->fd < 0)
		draft->fd = open_nameless();
	if (draft->fd < 0)
		draft->failure = errno;
	else
		draft->failure = write_all(draft->fd, draft->memory.data, draft->memory.len, draft->in_file);
}

static void empty_memory(struct ph_kv_draft *draft)
{
	if (ph_offload(spill, draft) < 0)
		spill(draft);
	if (draft->failure)
		return;
	draft->in_file += draft->memory.len;
	ph_buf_reset(&draft->memory);
}

static int report(int failure, struct ph_error *error)
{
	return ph_error_set(error, environment_code(failure), "cannot store the message now",
		"draft in %s: %s", directory, strerror(failure));
}

int kv_draft_write(struct ph_kv_draft *draft, struct ph_str bytes, struct ph_error *error)
{
	while (bytes.len > 0 && !draft->failure) {
		size_t room = MEMORY_MAX - draft->memory.len;
		size_t size = bytes.len < room ? bytes.len : room;

		ph_buf_add(&draft->memory, bytes.data, size);
		bytes = ph_str_slice(bytes, size, bytes.len);
		if (draft->memory.len == MEMORY_MAX)
			empty_memory(draft);
	}
	return draft->failure ? report(draft->failure, error) : 0;
}

struct ph_kv_blob_id kv_draft_id(const struct ph_kv_draft *draft)
{
	return draft->id;
}

uint64_t kv_draft_size(const struct ph_kv_draft *draft)
{
	return draft->in_file + draft->memory.len;
}

static int read_file(const struct ph_kv_draft *draft, uint64_t offset, char *to, size_t size)
{
	while (size > 0) {
		ssize_t got = pread(draft->fd, to, size, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno : EIO;
		to += got;
		size -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

int kv_draft_copy(const struct ph_kv_draft *draft, uint64_t offset, void *to, size_t size)
{
	char *rest = to;

	if (draft->failure)
		return draft->failure;
	if (offset < draft->in_file) {
		uint64_t left = draft->in_file - offset;
		size_t part = size < left ? size : (size_t)left;
		int rc = read_file(draft, offset, rest, part);

		if (rc)
			return rc;
		offset += part;
		rest += part;
		size -= part;
	}
	if (size > 0)
		memcpy(rest, draft->memory.data + (offset - draft->in_file), size);
	return 0;
}

int kv_draft_view(struct ph_kv_draft *draft, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error)
{
	uint64_t left;
	int rc;

	if (draft->failure)
		return report(draft->failure, error);
	if (offset >= kv_draft_size(draft)) {
		*bytes_r = (struct ph_str){ NULL, 0 };
		return 0;
	}
	if (offset >= draft->in_file) {
		*bytes_r = ph_str_slice(
			ph_buf_str(&draft->memory), (size_t)(offset - draft->in_file), draft->memory.len);
		return 0;
	}
	left = draft->in_file - offset;
	if (!draft->view)
		draft->view = ph_alloc(VIEW_SIZE);
	*bytes_r = ph_str_of(draft->view, left < VIEW_SIZE ? (size_t)left : VIEW_SIZE);
	rc = kv_draft_copy(draft, offset, draft->view, bytes_r->len);
	return rc ? report(rc, error) : 0;
}

void kv_draft_free(struct ph_kv_draft **draft)
{
	if (!*draft)
		return;
	if ((*draft)->fd >= 0)
		close((*draft)->fd);
	ph_buf_free(&(*draft)->memory);
	free((*draft)->view);
	free(*draft);
	*draft = NULL;
}
