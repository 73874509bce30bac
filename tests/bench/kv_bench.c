/* Messages per second that kv_lmdb makes durable, beside what else could be done with the same disk, in one
 * run:
 *
 *   journal  kv_lmdb: so many fibers, each storing one message after the other
 *   lmdb     plain synchronous LMDB: so many messages in one transaction, each in a mailbox of its own
 *   files    one file for each message, written, flushed and renamed; so many threads
 *   raw      one append and one fdatasync for so many messages: what the disk gives
 *
 * kv_bench [-d FOLDER] [-t SECONDS] [-n ROUNDS] [-s SIZE] [-w WRITERS] [-o WAY] */
#include <config.h>

#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <posthorn/bytes.h>
#include <posthorn/fiber.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>

#include "../../modules/kv_lmdb/file.h"
#include "../../modules/kv_lmdb/kv_lmdb.h"
#include "../unit/temporary.h"

#define META_SIZE 200

struct run {
	size_t size;
	unsigned writers;
	double seconds;
	char directory[TEMPORARY_MAX];
	char *message;
	double until;
	/* results */
	uint64_t messages, flushes;
	double took, written;
};

static const struct ph_kv_service *const kv = &kv_lmdb_service;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static double bytes_written(void)
{
	char line[128];
	double bytes = 0;
	FILE *file = fopen("/proc/self/io", "r");

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "write_bytes: ", 13) == 0)
			bytes = strtod(line + 13, NULL);
	if (file)
		fclose(file);
	return bytes;
}

/* --- journal --- */

static struct ph_signal ended;
static unsigned running;
static uint64_t flushes;

static int count_flush(int fd)
{
	flushes++;
	return file_system_calls.flush(fd);
}

struct storing {
	struct ph_kv_blob_id id;
	uint64_t number;
};

/* What a delivery writes beside the message: a summary, and counters. */
static int store_message(struct ph_kv_txn *txn, void *arg)
{
	const struct storing *storing = arg;
	char key[8], meta[META_SIZE] = { 0 };
	int rc;

	ph_bytes_put64(key, storing->number);
	memcpy(meta, storing->id.bytes, sizeof(storing->id.bytes));
	rc = kv->put(txn, 0, ph_str_of(key, 8), ph_str_of(meta, sizeof(meta)));
	if (!rc)
		rc = kv->put(txn, 0, PH_STR("next"), ph_str_of(key, 8));
	return rc ? rc : kv->blob_add_reference(txn, storing->id);
}

static void run_writer(void *arg)
{
	struct run *run = arg;
	struct ph_kv_partition partition = { 1, running };

	for (uint64_t number = 0; now() < run->until; number++) {
		struct ph_kv_draft *draft = kv->draft_new();
		struct storing storing = { kv->draft_id(draft), number };

		must(kv->draft_write(draft, ph_str_of(run->message, run->size), NULL) == 0, "draft");
		must(kv->update(&partition, 1, &draft, 1, store_message, &storing, NULL) == 0, "update");
		kv->draft_free(&draft);
		run->messages++;
	}
	running--;
	ph_signal_all(&ended);
}

static void run_journal(struct run *run)
{
	static const struct kv_lmdb_config config = {
		.map_size = INT64_C(1) << 34,
		.map_max = INT64_C(1) << 40,
		.group_updates = 256,
		.group_size = 32 << 20,
	};
	char path[TEMPORARY_MAX + 16];

	snprintf(path, sizeof(path), "%s/store", run->directory);
	must(kv_lmdb_open(path, &config, 16, NULL) == 0, path);
	file_operations.flush = count_flush;
	flushes = 0;
	ph_signal_init(&ended);
	run->until = now() + run->seconds;
	for (running = 0; running < run->writers;) {
		ph_fiber_start("writer", run_writer, run);
		running++;
	}
	while (running > 0)
		ph_signal_wait(&ended, PH_FOREVER);
	run->flushes = flushes;
	kv_lmdb_close();
}

/* --- plain LMDB: the same keys and values, and the messages in a database of their own --- */

struct plain {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi keys, blobs;
};

static void put(const struct plain *plain, MDB_dbi dbi, const void *key, size_t key_size, const void *bytes,
	size_t size)
{
	MDB_val k = { key_size, (void *)(uintptr_t)key }, v = { size, (void *)(uintptr_t)bytes };

	must(mdb_put(plain->txn, dbi, &k, &v, 0) == 0, "mdb_put");
}

static void open_plain(struct plain *plain, const char *directory)
{
	must(mdb_env_create(&plain->env) == 0 && mdb_env_set_mapsize(plain->env, (size_t)1 << 36) == 0 &&
			mdb_env_set_maxdbs(plain->env, 2) == 0 &&
			mdb_env_open(plain->env, directory, MDB_NOTLS, 0600) == 0,
		"lmdb");
	must(mdb_txn_begin(plain->env, NULL, 0, &plain->txn) == 0 &&
			mdb_dbi_open(plain->txn, "keys", MDB_CREATE, &plain->keys) == 0 &&
			mdb_dbi_open(plain->txn, "blobs", MDB_CREATE, &plain->blobs) == 0 &&
			mdb_txn_commit(plain->txn) == 0,
		"lmdb");
}

/* As store_message(), in the partition of a writer. */
static void put_message(const struct plain *plain, const struct run *run, unsigned writer, uint64_t number)
{
	char id[16] = { 0 }, key[9 + 8] = { 1 }, meta[META_SIZE] = { 0 };

	ph_bytes_put64(id, run->messages);
	ph_bytes_put64(key + 1, writer);
	ph_bytes_put64(key + 9, number);
	put(plain, plain->blobs, id, sizeof(id), run->message, run->size);
	put(plain, plain->keys, key, sizeof(key), meta, sizeof(meta));
	memcpy(key + 9, "next", 4);
	put(plain, plain->keys, key, 9 + 4, meta, 8);
}

static void run_lmdb(struct run *run)
{
	struct plain plain;

	open_plain(&plain, run->directory);
	run->until = now() + run->seconds;
	for (uint64_t number = 0; now() < run->until; number++) {
		must(mdb_txn_begin(plain.env, NULL, 0, &plain.txn) == 0, "begin");
		for (unsigned writer = 0; writer < run->writers; writer++, run->messages++)
			put_message(&plain, run, writer, number);
		must(mdb_txn_commit(plain.txn) == 0, "commit");
		run->flushes++;
	}
	mdb_env_close(plain.env);
}

/* --- files --- */

struct thread {
	struct run *run;
	unsigned number;
	uint64_t messages;
	pthread_t id;
};

static void *write_files(void *arg)
{
	struct thread *thread = arg;
	const struct run *run = thread->run;

	while (now() < run->until) {
		char from[TEMPORARY_MAX + 64], to[TEMPORARY_MAX + 64];
		int fd;

		snprintf(from, sizeof(from), "%s/t%u-%llu", run->directory, thread->number,
			(unsigned long long)thread->messages);
		snprintf(to, sizeof(to), "%s/f%u-%llu", run->directory, thread->number,
			(unsigned long long)thread->messages++);
		fd = open(from, O_WRONLY | O_CREAT | O_EXCL, 0600);
		must(fd >= 0 && write(fd, run->message, run->size) == (ssize_t)run->size && fsync(fd) == 0 &&
				close(fd) == 0 && rename(from, to) == 0,
			from);
	}
	return NULL;
}

static void run_files(struct run *run)
{
	struct thread *threads = ph_alloc_array(run->writers, sizeof(*threads));

	run->until = now() + run->seconds;
	for (unsigned i = 0; i < run->writers; i++) {
		threads[i] = (struct thread){ .run = run, .number = i };
		must(pthread_create(&threads[i].id, NULL, write_files, &threads[i]) == 0, "thread");
	}
	for (unsigned i = 0; i < run->writers; i++) {
		pthread_join(threads[i].id, NULL);
		run->messages += threads[i].messages;
	}
	run->flushes = run->messages;
	free(threads);
}

/* --- raw --- */

static void run_raw(struct run *run)
{
	char path[TEMPORARY_MAX + 16], *group = ph_alloc(run->size * run->writers);
	int fd;

	snprintf(path, sizeof(path), "%s/raw", run->directory);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	must(fd >= 0, path);
	run->until = now() + run->seconds;
	while (now() < run->until) {
		size_t size = run->size * run->writers;

		must(write(fd, group, size) == (ssize_t)size && fdatasync(fd) == 0, path);
		run->messages += run->writers;
		run->flushes++;
	}
	close(fd);
	free(group);
}

/* --- all of them --- */

static const struct way {
	const char *name;
	void (*go)(struct run *run);
} ways[] = { { "journal", run_journal }, { "lmdb", run_lmdb }, { "files", run_files }, { "raw", run_raw } };

#define WAYS (sizeof(ways) / sizeof(*ways))

static const char *setting_folder = "/var/tmp";
static double setting_seconds = 2;
static unsigned setting_rounds = 3;
static size_t setting_size;
static unsigned setting_writers;
static const char *setting_way;

static int compare(const void *a, const void *b)
{
	double first = ((const struct run *)a)->took, second = ((const struct run *)b)->took;

	return (first > second) - (first < second);
}

static void run_once(const struct way *way, struct run *run)
{
	double begin, written;

	snprintf(run->directory, sizeof(run->directory), "%s/kv-bench-XXXXXX", setting_folder);
	must(mkdtemp(run->directory) != NULL, run->directory);
	sync();
	written = bytes_written();
	begin = now();
	way->go(run);
	/* Seconds for each message, so that runs can be compared. */
	run->took = (now() - begin) / (double)run->messages;
	run->written = (bytes_written() - written) / ((double)run->messages * (double)run->size);
	remove_temporary(run->directory);
}

static void bench(size_t size, unsigned writers, char *message)
{
	struct run *runs[WAYS];
	double medians[WAYS];

	for (size_t i = 0; i < WAYS; i++)
		runs[i] = ph_alloc_array(setting_rounds, sizeof(**runs));
	for (unsigned round = 0; round < setting_rounds; round++)
		for (size_t i = 0; i < WAYS; i++) {
			if (setting_way && strcmp(setting_way, ways[i].name) != 0)
				continue;
			runs[i][round] = (struct run){ .size = size,
				.writers = writers,
				.seconds = setting_seconds,
				.message = message };
			run_once(&ways[i], &runs[i][round]);
		}
	printf("%8zu %4u", size, writers);
	for (size_t i = 0; i < WAYS; i++) {
		const struct run *median = &runs[i][setting_rounds / 2];

		qsort(runs[i], setting_rounds, sizeof(**runs), compare);
		medians[i] = 1 / median->took;
		printf(" %9.0f", medians[i]);
		if (i == 0)
			printf(" %6.1f %5.2f", (double)median->messages / (double)median->flushes,
				median->written);
	}
	printf("   %5.2f %5.2f %5.2f\n", medians[0] / medians[1], medians[0] / medians[2],
		medians[0] / medians[3]);
	fflush(stdout);
	for (size_t i = 0; i < WAYS; i++)
		free(runs[i]);
}

static void bench_all(void *arg)
{
	static const size_t sizes[] = { 1000, 10000, 100000, 5000000 };
	static const unsigned writers[] = { 1, 4, 16, 64, 256 };
	char *message = arg;

	printf("    size  wri   journal /flush bytes      lmdb     files       raw   /lmdb /file  /raw\n");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (size_t j = 0; j < sizeof(writers) / sizeof(*writers); j++)
			if ((!setting_size || sizes[i] == setting_size) &&
				(!setting_writers || writers[j] == setting_writers))
				bench(sizes[i], writers[j], message);
	ph_loop_break();
}

int main(int argc, char **argv)
{
	char *message = ph_alloc(5000000);
	int option;

	while ((option = getopt(argc, argv, "d:t:n:s:w:o:")) != -1) {
		if (option == 'd')
			setting_folder = optarg;
		else if (option == 't')
			setting_seconds = strtod(optarg, NULL);
		else if (option == 'n')
			setting_rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'o')
			setting_way = optarg;
		else if (option == 's')
			setting_size = strtoul(optarg, NULL, 10);
		else if (option == 'w')
			setting_writers = (unsigned)strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	memset(message, 'm', 5000000);
	ph_loop_init();
	ph_fiber_start("bench", bench_all, message);
	ph_loop_run();
	ph_loop_free();
	free(message);
	return 0;
}
