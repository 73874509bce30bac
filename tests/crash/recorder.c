/* A file is known by a number, whatever its names. A flush makes durable all that was done to its file before
 * it began; a flush of a folder, the names in it. */
#include <config.h>

#include "recorder.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <posthorn/mem.h>

#include "../../modules/kv_lmdb/file.h"

#define FDS 4096
#define SECTOR 512
#define NAMES_MAX 4096

enum kind { WRITE, SIZE, GROW, FLUSH, CREATE, RENAME, UNLINK, LINK, FLUSH_NAMES };

struct event {
	enum kind kind;
	unsigned file;
	uint64_t offset; /* or a size */
	char *bytes;     /* or a name */
	char *to;        /* the other name */
	size_t size;
	size_t covers; /* a flush: events before this one */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct event *events;
static size_t count, capacity;
static unsigned files;
static unsigned file_of[FDS]; /* 0: a folder, or not recorded */
static char *folder_of[FDS];
static struct {
	char *name;
	unsigned file;
} names[NAMES_MAX];
static size_t name_count;
static char root[4096];

/* --- recording --- */

static struct event *add(enum kind kind, unsigned file)
{
	if (count == capacity) {
		capacity = capacity * 2 + 1024;
		events = ph_realloc_array(events, capacity, sizeof(*events));
	}
	events[count] = (struct event){ .kind = kind, .file = file };
	return &events[count++];
}

/* The name below the store's folder, or NULL. */
static const char *below(const char *path)
{
	size_t length = strlen(root);

	return strncmp(path, root, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

static size_t slot(const char *name)
{
	for (size_t i = 0; i < name_count; i++)
		if (strcmp(names[i].name, name) == 0)
			return i;
	ck_assert_uint_lt(name_count, NAMES_MAX);
	names[name_count].name = ph_strdup(name);
	names[name_count].file = 0;
	return name_count++;
}

static void note_open(const char *path, int flags, int fd)
{
	const char *name = below(path);
	unsigned *file;

	ck_assert_int_lt(fd, FDS);
	file_of[fd] = 0;
	if ((flags & O_TMPFILE) == O_TMPFILE) {
		file_of[fd] = ++files;
	} else if (flags & O_DIRECTORY) {
		free(folder_of[fd]);
		folder_of[fd] = ph_strdup(name ? name : "");
	} else if (name) {
		file = &names[slot(name)].file;
		if (*file == 0 && (flags & O_CREAT)) {
			*file = ++files;
			add(CREATE, *file)->bytes = ph_strdup(name);
		}
		if (flags & O_TRUNC)
			add(SIZE, *file);
		file_of[fd] = *file;
	}
}

static int record_open(const char *path, int flags)
{
	int fd = file_system_calls.open(path, flags);

	pthread_mutex_lock(&lock);
	if (fd >= 0)
		note_open(path, flags, fd);
	pthread_mutex_unlock(&lock);
	return fd;
}

static ssize_t record_write(int fd, const struct iovec *parts, int part_count, off_t offset)
{
	ssize_t done = file_system_calls.write(fd, parts, part_count, offset);
	size_t at = 0, left = done > 0 ? (size_t)done : 0;
	struct event *event;

	pthread_mutex_lock(&lock);
	event = add(WRITE, file_of[fd]);
	event->offset = (uint64_t)offset;
	event->size = left;
	event->bytes = ph_alloc(left + 1);
	for (int i = 0; i < part_count; i++) {
		size_t size = parts[i].iov_len < left ? parts[i].iov_len : left;

		if (size > 0)
			memcpy(event->bytes + at, parts[i].iov_base, size);
		at += size;
		left -= size;
	}
	pthread_mutex_unlock(&lock);
	return done;
}

static void record_size(enum kind kind, int fd, off_t size)
{
	pthread_mutex_lock(&lock);
	add(kind, file_of[fd])->offset = (uint64_t)size;
	pthread_mutex_unlock(&lock);
}

static int record_allocate(int fd, off_t offset, off_t size)
{
	int rc = file_system_calls.allocate(fd, offset, size);

	if (rc == 0)
		record_size(GROW, fd, offset + size);
	return rc;
}

static int record_truncate(int fd, off_t size)
{
	int rc = file_system_calls.truncate(fd, size);

	if (rc == 0)
		record_size(SIZE, fd, size);
	return rc;
}

static int record_flush(int fd)
{
	size_t covers = recorder_now();
	struct event *event;

	pthread_mutex_lock(&lock);
	event = add(file_of[fd] ? FLUSH : FLUSH_NAMES, file_of[fd]);
	event->covers = covers;
	if (!file_of[fd])
		event->bytes = ph_strdup(folder_of[fd] ? folder_of[fd] : "");
	pthread_mutex_unlock(&lock);
	return 0;
}

static int record_rename(const char *from, const char *to)
{
	int rc = file_system_calls.rename(from, to);
	struct event *event;

	pthread_mutex_lock(&lock);
	if (rc == 0) {
		event = add(RENAME, names[slot(below(from))].file);
		event->bytes = ph_strdup(below(from));
		event->to = ph_strdup(below(to));
		names[slot(below(to))].file = event->file;
		names[slot(below(from))].file = 0;
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

static int record_unlink(const char *path)
{
	int rc = file_system_calls.unlink(path);

	pthread_mutex_lock(&lock);
	if (rc == 0) {
		add(UNLINK, 0)->bytes = ph_strdup(below(path));
		names[slot(below(path))].file = 0;
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

static int record_link(int fd, const char *path)
{
	int rc = file_system_calls.link(fd, path);

	pthread_mutex_lock(&lock);
	if (rc == 0) {
		add(LINK, file_of[fd])->bytes = ph_strdup(below(path));
		names[slot(below(path))].file = file_of[fd];
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

static const char *const folders[] = { "journal", "index", "large", "checkpoints" };

/* As if it had been made, written and flushed. */
static void take_file(const char *name)
{
	char path[8192];
	struct stat status;
	struct event *event;
	unsigned file = ++files;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &status), 0);
	names[slot(name)].file = file;
	add(CREATE, file)->bytes = ph_strdup(name);
	event = add(WRITE, file);
	event->size = (size_t)status.st_size;
	event->bytes = ph_alloc(event->size + 1);
	ck_assert_int_eq(read(fd, event->bytes, event->size), status.st_size);
	event = add(FLUSH, file);
	event->covers = count - 1;
	close(fd);
}

static void take_folder(const char *folder)
{
	char path[8192], name[8192];
	struct dirent *entry;
	struct event *event;
	DIR *entries;

	snprintf(path, sizeof(path), "%s/%s", root, folder);
	entries = opendir(path);
	while (entries && (entry = readdir(entries))) {
		if (entry->d_type != DT_REG)
			continue;
		snprintf(name, sizeof(name), "%s%s%s", folder, *folder ? "/" : "", entry->d_name);
		take_file(name);
	}
	if (entries)
		closedir(entries);
	event = add(FLUSH_NAMES, 0);
	event->bytes = ph_strdup(folder);
	event->covers = count - 1;
}

void recorder_start(const char *directory)
{
	snprintf(root, sizeof(root), "%s", directory);
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		take_folder(folders[i]);
	take_folder("");
	file_operations = (struct file_operations){
		.open = record_open,
		.close = file_system_calls.close,
		.write = record_write,
		.allocate = record_allocate,
		.truncate = record_truncate,
		.flush = record_flush,
		.flush_all = record_flush,
		.rename = record_rename,
		.unlink = record_unlink,
		.link = record_link,
		.read = file_system_calls.read,
		.reserve = file_system_calls.reserve,
		.free_space = file_system_calls.free_space,
	};
}

void recorder_stop(void)
{
	file_operations = file_system_calls;
}

void recorder_free(void)
{
	for (size_t i = 0; i < count; i++) {
		free(events[i].bytes);
		free(events[i].to);
	}
	for (size_t i = 0; i < name_count; i++)
		free(names[i].name);
	for (size_t i = 0; i < FDS; i++) {
		free(folder_of[i]);
		folder_of[i] = NULL;
	}
	free(events);
	events = NULL;
	count = capacity = name_count = 0;
	files = 0;
}

size_t recorder_now(void)
{
	size_t now;

	pthread_mutex_lock(&lock);
	now = count;
	pthread_mutex_unlock(&lock);
	return now;
}

unsigned recorder_unlinked(const char *beginning)
{
	unsigned found = 0;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < count; i++)
		found += events[i].kind == UNLINK &&
			 strncmp(events[i].bytes, beginning, strlen(beginning)) == 0;
	pthread_mutex_unlock(&lock);
	return found;
}

/* --- building --- */

struct content {
	char *bytes;
	size_t size, capacity;
	size_t durable; /* events before this one are durable */
};

static unsigned long long dice;

static unsigned roll(void)
{
	dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(dice >> 33);
}

static void resize(struct content *content, size_t size)
{
	if (size > content->capacity) {
		content->bytes = ph_realloc_array(content->bytes, size * 2, 1);
		content->capacity = size * 2;
	}
	if (size > content->size)
		memset(content->bytes + content->size, 0, size - content->size);
	content->size = size;
}

static void write_piece(struct content *content, const struct event *event, size_t from, size_t end)
{
	if (event->offset + end > content->size)
		resize(content, (size_t)event->offset + end);
	if (end > from)
		memcpy(content->bytes + event->offset + from, event->bytes + from, end - from);
}

/* Some sectors of a write: from none to all. */
static void write_some(struct content *content, const struct event *event)
{
	unsigned mode = roll() % 4;
	size_t at = 0;

	while (mode > 0 && at < event->size) {
		size_t end = ((event->offset + at) / SECTOR + 1) * SECTOR - event->offset;

		if (end > event->size)
			end = event->size;
		if (mode == 3 || roll() % 2)
			write_piece(content, event, at, end);
		else if (mode == 2)
			return;
		at = end;
	}
}

static void apply(struct content *content, const struct event *event, bool durable)
{
	if (event->kind == WRITE && durable)
		write_piece(content, event, 0, event->size);
	else if (event->kind == WRITE)
		write_some(content, event);
	else if (!durable && roll() % 2)
		return;
	else if (event->kind == SIZE)
		resize(content, (size_t)event->offset);
	else if (event->kind == GROW && event->offset > content->size)
		resize(content, (size_t)event->offset);
}

static bool is_in(const char *name, const char *folder)
{
	const char *slash = strrchr(name, '/');
	size_t length = slash ? (size_t)(slash - name) : 0;

	return strlen(folder) == length && strncmp(name, folder, length) == 0;
}

static bool name_is_durable(size_t i, const char *name, size_t moment)
{
	for (size_t j = i; j < moment; j++)
		if (events[j].kind == FLUSH_NAMES && events[j].covers > i && is_in(name, events[j].bytes))
			return true;
	return false;
}

/* The names at that moment; those that are not durable, perhaps. */
static void build_names(unsigned *file_of_name, size_t moment)
{
	for (size_t i = 0; i < moment; i++) {
		const struct event *event = &events[i];

		if (event->kind < CREATE || event->kind == FLUSH_NAMES)
			continue;
		if (!name_is_durable(i, event->bytes, moment) && roll() % 2)
			continue;
		if (event->kind == RENAME)
			file_of_name[slot(event->to)] = event->file;
		file_of_name[slot(event->bytes)] =
			event->kind == CREATE || event->kind == LINK ? event->file : 0;
	}
}

static void write_out(const char *directory, const char *name, const struct content *content)
{
	char path[8192];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	/* The system has another run when it comes up again. */
	if (strcmp(name, "state") == 0 && content->size > 5 && memcmp(content->bytes, "boot ", 5) == 0)
		fputs("boot before", file);
	else if (content->size > 0)
		ck_assert_uint_eq(fwrite(content->bytes, 1, content->size, file), content->size);
	fclose(file);
}

void recorder_build(const char *directory, size_t moment, unsigned chance)
{
	struct content *contents = ph_alloc_array(files + 1, sizeof(*contents));
	unsigned *file_of_name = ph_alloc_array(NAMES_MAX, sizeof(*file_of_name));
	char path[8192];

	dice = chance * 0x9e3779b97f4a7c15ULL + moment;
	for (size_t i = 0; i < moment; i++)
		if (events[i].kind == FLUSH && contents[events[i].file].durable < events[i].covers)
			contents[events[i].file].durable = events[i].covers;
	for (size_t i = 0; i < moment; i++)
		if (events[i].kind <= GROW)
			apply(&contents[events[i].file], &events[i], i < contents[events[i].file].durable);
	build_names(file_of_name, moment);
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, folders[i]);
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
	for (size_t i = 0; i < name_count; i++) {
		unsigned file = file_of_name[i];

		if (file > 0)
			write_out(directory, names[i].name, &contents[file]);
	}
	for (unsigned i = 0; i <= files; i++)
		free(contents[i].bytes);
	free(contents);
	free(file_of_name);
}
