/* Drafts. Up to 256 KB stay in memory, and the committer writes them to the journal. Beyond, every 256 KB go
 * to a file without a name in one write on an offload thread, since even writing to the page cache can block
 * when the disk is behind; reading back finds the bytes in the cache. Such a file is where the blob stays:
 * before an update that may take it, it is made durable and given its name, still on the offload thread. So a
 * large message is written once, and holds up nobody else's commit. */
#include <config.h>

#include "draft.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <posthorn/buf.h>
#include <posthorn/bytes.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>
#include <posthorn/offload.h>

#include "checksum.h"
#include "environment.h"
#include "file.h"
#include "large.h"
#include "record.h"

#define MEMORY_MAX (256 * 1024)
#define VIEW_SIZE (64 * 1024)
/* Bytes of an id that are random. */
#define ID_RANDOM 10

struct ph_kv_draft {
	struct ph_kv_blob_id id;
	struct ph_buf memory; /* the bytes behind those in the file */
	int fd;               /* -1: no file yet */
	uint64_t in_file;
	int failure; /* errno of the first write that failed */
	char *view;
	struct ph_buf sums; /* of the chunks, when prepared or in the file */
	bool prepared;      /* all is summed, and a file has its name */
	bool stored;        /* in the transaction that runs */
	bool kept;          /* the file is a blob's */
};

/* Random bytes are fetched for many ids at once. None are left over for another process: see kv_draft_start.
 */
static unsigned char random_bytes[ID_RANDOM * 100];
static size_t random_left;

void kv_draft_start(void)
{
	random_left = 0;
}

static void fetch_random(void)
{
	while (random_left < sizeof(random_bytes)) {
		ssize_t got = getrandom(random_bytes + random_left, sizeof(random_bytes) - random_left, 0);

		if (got > 0)
			random_left += (size_t)got;
	}
}

/* Ids begin with the time, so that blobs that come together lie together and are written together. */
static struct ph_kv_blob_id make_id(void)
{
	struct ph_kv_blob_id id;

	if (random_left == 0)
		fetch_random();
	random_left -= ID_RANDOM;
	ph_bytes_put64(id.bytes, (uint64_t)ph_clock_msec() << 16);
	memcpy(id.bytes + sizeof(id.bytes) - ID_RANDOM, random_bytes + random_left, ID_RANDOM);
	return id;
}

struct ph_kv_draft *kv_draft_new(void)
{
	return kv_draft_named(make_id());
}

struct ph_kv_draft *kv_draft_named(struct ph_kv_blob_id id)
{
	struct ph_kv_draft *draft = ph_alloc(sizeof(*draft));

	draft->id = id;
	draft->fd = -1;
	ph_buf_init(&draft->memory, MEMORY_MAX);
	ph_buf_init(&draft->sums, SIZE_MAX);
	return draft;
}

/* Sums what is in memory, which begins with a chunk. */
static void add_sums(struct ph_buf *sums, const char *data, size_t size)
{
	for (size_t at = 0; at < size; at += BLOB_CHUNK) {
		size_t part = size - at < BLOB_CHUNK ? size - at : BLOB_CHUNK;
		unsigned char bytes[BLOB_SUM];

		ph_bytes_put64(bytes, checksum(0, data + at, part));
		ph_buf_add(sums, bytes, sizeof(bytes));
	}
}

static int write_part(struct ph_kv_draft *draft, const struct ph_buf *bytes, uint64_t offset)
{
	struct iovec part = { bytes->data, bytes->len };

	return file_write(draft->fd, &part, 1, offset);
}

/* On an offload thread: moves what is in memory to the file. */
static void spill(void *arg)
{
	struct ph_kv_draft *draft = arg;

	if (draft->fd < 0)
		draft->failure = large_create(&draft->fd);
	if (!draft->failure)
		draft->failure = write_part(draft, &draft->memory, draft->in_file);
	if (draft->failure)
		return;
	add_sums(&draft->sums, draft->memory.data, draft->memory.len);
	draft->in_file += draft->memory.len;
	ph_buf_reset(&draft->memory);
}

static void offload(void (*work)(void *arg), struct ph_kv_draft *draft)
{
	if (ph_offload(work, draft) < 0)
		work(draft);
}

static int report(int failure, struct ph_error *error)
{
	return ph_error_set(error, environment_code(failure), "cannot store the message now", "draft: %s",
		strerror(failure));
}

int kv_draft_write(struct ph_kv_draft *draft, struct ph_str bytes, struct ph_error *error)
{
	PH_ASSERT(!draft->prepared || bytes.len == 0);
	while (bytes.len > 0 && !draft->failure) {
		size_t room = MEMORY_MAX - draft->memory.len;
		size_t size = bytes.len < room ? bytes.len : room;

		ph_buf_add(&draft->memory, bytes.data, size);
		bytes = ph_str_slice(bytes, size, bytes.len);
		if (draft->memory.len == MEMORY_MAX)
			offload(spill, draft);
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

/* On an offload thread: finishes the file. */
static void finish_file(void *arg)
{
	struct ph_kv_draft *draft = arg;

	if (draft->memory.len > 0)
		spill(draft);
	if (!draft->failure)
		draft->failure = write_part(draft, &draft->sums, draft->in_file);
	if (!draft->failure)
		draft->failure = large_name(draft->fd, &draft->id);
}

int kv_draft_prepare(struct ph_kv_draft *draft)
{
	if (draft->prepared || draft->failure)
		return draft->failure;
	if (draft->fd >= 0)
		offload(finish_file, draft);
	else
		add_sums(&draft->sums, draft->memory.data, draft->memory.len);
	draft->prepared = !draft->failure;
	return draft->failure;
}

void kv_draft_store(struct ph_kv_draft *draft, struct record *record, struct stored *stored_r)
{
	PH_ASSERT(draft->prepared);
	draft->stored = true;
	stored_r->size = kv_draft_size(draft);
	stored_r->sum = checksum(0, draft->sums.data, draft->sums.len);
	stored_r->segment = draft->fd >= 0 ? 0 : record->segment;
	stored_r->offset = 0;
	if (draft->fd >= 0)
		return;
	stored_r->offset = record_add_bytes(record, draft->memory.data, draft->memory.len);
	record_add_bytes(record, draft->sums.data, draft->sums.len);
}

void kv_draft_begin(struct ph_kv_draft *draft)
{
	draft->stored = false;
}

void kv_draft_committed(struct ph_kv_draft *draft)
{
	draft->kept |= draft->stored;
}

bool kv_draft_in_memory(const struct ph_kv_draft *draft)
{
	return draft->fd < 0;
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
	rc = file_read(draft->fd, draft->view, bytes_r->len, offset);
	return rc ? report(rc, error) : 0;
}

void kv_draft_free(struct ph_kv_draft **draft)
{
	if (!*draft)
		return;
	if ((*draft)->fd >= 0) {
		if ((*draft)->prepared && !(*draft)->kept)
			large_remove(&(*draft)->id);
		file_operations.close((*draft)->fd);
	}
	ph_buf_free(&(*draft)->memory);
	ph_buf_free(&(*draft)->sums);
	free((*draft)->view);
	free(*draft);
	*draft = NULL;
}
