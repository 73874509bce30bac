/* A writer's update puts one key in each of two partitions (where the provider changes two at once) and
 * stores a blob, whose id both keys tell. */
#include <config.h>

#include "kv_process.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <posthorn/bytes.h>
#include <posthorn/fiber.h>
#include <posthorn/loop.h>

#include "kv.h"

#define FIBERS 8
#define BLOB_SIZE 10000

extern char **environ;

/* --- in the other process --- */

struct writer {
	const struct kv_provider *provider;
	const char *directory;
	unsigned number, count;
	unsigned next, running;
	bool done[1 << 20]; /* what is durable */
	unsigned told;
};

struct writing {
	struct writer *writer;
	unsigned number;
	struct ph_kv_blob_id blob;
};

static size_t fill_partitions(
	const struct ph_kv_service *kv, unsigned writer, struct ph_kv_partition *partitions)
{
	partitions[0] = (struct ph_kv_partition){ 7, writer };
	partitions[1] = (struct ph_kv_partition){ 8, writer };
	return kv->atomic_partitions ? 2 : 1;
}

static int write_keys(struct ph_kv_txn *txn, void *arg)
{
	const struct writing *writing = arg;
	const struct ph_kv_service *kv = writing->writer->provider->service;
	char bytes[4];
	struct ph_str key = { bytes, sizeof(bytes) };
	struct ph_str id = { (const char *)writing->blob.bytes, sizeof(writing->blob.bytes) };
	int result;

	ph_bytes_put32(bytes, writing->number);
	result = kv->put(txn, 0, key, id);
	if (result == 0 && kv->atomic_partitions)
		result = kv->put(txn, 1, key, id);
	return result < 0 ? result : kv->blob_add_reference(txn, writing->blob);
}

static void write_one(struct writer *writer, unsigned number)
{
	const struct ph_kv_service *kv = writer->provider->service;
	struct ph_kv_draft *draft = kv->draft_new();
	struct writing writing = { writer, number, kv->draft_id(draft) };
	struct ph_kv_partition partitions[2];
	size_t count = fill_partitions(kv, writer->number, partitions);
	char bytes[BLOB_SIZE];

	memset(bytes, (int)('a' + number % 26), sizeof(bytes));
	kv->draft_write(draft, ph_str_of(bytes, sizeof(bytes)), NULL);
	if (kv->update(partitions, count, &draft, 1, write_keys, &writing, NULL) < 0)
		exit(1);
	kv->draft_free(&draft);
}

static void run_writer(void *arg)
{
	struct writer *writer = arg;

	while (writer->count == 0 || writer->next < writer->count) {
		unsigned number = writer->next++;

		write_one(writer, number);
		writer->done[number] = true;
		/* Confirmed in order. */
		for (; writer->done[writer->told]; writer->told++)
			dprintf(STDOUT_FILENO, "%u\n", writer->told);
	}
	if (--writer->running == 0) {
		writer->provider->close();
		ph_loop_break();
	}
}

static void open_writer(void *arg)
{
	struct writer *writer = arg;

	if (writer->provider->open(writer->directory, NULL) < 0)
		exit(1);
	for (int i = 0; i < FIBERS; i++)
		ph_fiber_start("writer", run_writer, writer);
}

int kv_writer(const struct kv_provider *provider, char **argv)
{
	static struct writer writer;

	writer.provider = provider;
	writer.directory = argv[0];
	writer.number = (unsigned)strtoul(argv[1], NULL, 10);
	writer.count = (unsigned)strtoul(argv[2], NULL, 10);
	writer.running = FIBERS;
	ph_loop_init();
	ph_fiber_start("open", open_writer, &writer);
	ph_loop_run();
	ph_loop_free();
	return 0;
}

/* --- in the test's process --- */

void kv_writer_start(
	struct kv_writer_process *process, const char *directory, unsigned writer, unsigned count)
{
	char number[16], updates[16], path[] = "/proc/self/exe", word[] = "writer";
	char *argv[] = { path, word, (char *)(uintptr_t)directory, number, updates, NULL };
	posix_spawn_file_actions_t actions;
	int fds[2];

	snprintf(number, sizeof(number), "%u", writer);
	snprintf(updates, sizeof(updates), "%u", count);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	ck_assert_int_eq(posix_spawn(&process->pid, path, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	process->output = fdopen(fds[0], "r");
	process->durable = 0;
}

/* Takes note of what it confirms, until it has so many or ends. */
static void read_confirmed(struct kv_writer_process *process, unsigned until)
{
	char line[32];

	while (process->durable < until && fgets(line, sizeof(line), process->output)) {
		if (strchr(line, '\n'))
			process->durable = (unsigned)strtoul(line, NULL, 10) + 1;
	}
}

void kv_writer_wait(struct kv_writer_process *process)
{
	int status;

	read_confirmed(process, UINT32_MAX);
	fclose(process->output);
	ck_assert_int_eq(waitpid(process->pid, &status, 0), process->pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void kv_writer_abort(struct kv_writer_process *process)
{
	int status;

	read_confirmed(process, UINT32_MAX);
	fclose(process->output);
	ck_assert_int_eq(waitpid(process->pid, &status, 0), process->pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

void kv_writer_kill(struct kv_writer_process *process, unsigned after)
{
	int status;

	read_confirmed(process, after);
	ck_assert_int_eq(kill(process->pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(process->pid, &status, 0), process->pid);
	read_confirmed(process, UINT32_MAX);
	fclose(process->output);
	ck_assert_uint_ge(process->durable, after);
}

struct looking {
	const struct ph_kv_service *kv;
	unsigned number;
	bool there;
	struct ph_kv_blob_id blob;
};

static int look(struct ph_kv_txn *txn, void *arg)
{
	struct looking *looking = arg;
	struct ph_str first, second;
	char bytes[4];
	struct ph_str key = { bytes, sizeof(bytes) };

	ph_bytes_put32(bytes, looking->number);
	looking->there = looking->kv->get(txn, 0, key, &first) == 0;
	if (looking->there)
		memcpy(looking->blob.bytes, first.data, sizeof(looking->blob.bytes));
	if (looking->kv->atomic_partitions) {
		ck_assert((looking->kv->get(txn, 1, key, &second) == 0) == looking->there);
		ck_assert(!looking->there || ph_str_eq(first, second));
	}
	return 0;
}

static void check_bytes(const struct ph_kv_service *kv, const struct looking *looking)
{
	struct ph_kv_blob *blob;
	struct ph_str bytes;
	char expected[BLOB_SIZE];

	memset(expected, (int)('a' + looking->number % 26), sizeof(expected));
	ck_assert_int_eq(kv->blob_open(looking->blob, &blob, NULL), 0);
	ck_assert_uint_eq(kv->blob_size(blob), BLOB_SIZE);
	for (uint64_t at = 0; at < BLOB_SIZE; at += bytes.len) {
		ck_assert_int_eq(kv->blob_view(blob, at, &bytes, NULL), 0);
		ck_assert(bytes.len > 0 && bytes.len <= sizeof(expected));
		ck_assert_int_eq(memcmp(bytes.data, expected, bytes.len), 0);
	}
	kv->blob_close(&blob);
}

void kv_check_written(const struct ph_kv_service *kv, unsigned writer, unsigned durable)
{
	struct ph_kv_partition partitions[2];
	size_t count = fill_partitions(kv, writer, partitions);

	/* Behind the confirmed ones may be some that were on their way. */
	for (unsigned number = 0; number < durable + 2 * FIBERS; number++) {
		struct looking looking = { .kv = kv, .number = number };

		ck_assert_int_eq(kv->read(partitions, count, look, &looking, NULL), 0);
		ck_assert_msg(
			looking.there || number >= durable, "update %u of writer %u is lost", number, writer);
		if (looking.there)
			check_bytes(kv, &looking);
	}
}
