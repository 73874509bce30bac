/* Editors replace files in several ways (write in place; write another and rename it over), so the folder is
 * watched and not the file, for what both ways end with. */
#include <config.h>

#include "watch.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <posthorn/log.h>
#include <posthorn/loop.h>
#include <posthorn/map.h>
#include <posthorn/mem.h>

enum { FOLDERS_MAX = 256, PATH_BYTES = 4096, SETTLE_TIME = 100 };

static struct {
	int fd;
	void (*changed)(const char *path);
	struct ph_map *files; /* paths as keys */
	char *folders[FOLDERS_MAX];
	int descriptors[FOLDERS_MAX];
	size_t folder_count;
	bool told; /* that one cannot be watched; one tells of all */
	struct ph_io input;
	struct ph_timer settle;
	char last[PATH_BYTES];
} watch = { .fd = -1 };

static void report(void *arg)
{
	(void)arg;
	watch.changed(watch.last);
}

static const char *folder_of(int descriptor)
{
	for (size_t i = 0; i < watch.folder_count; i++) {
		if (watch.descriptors[i] == descriptor)
			return watch.folders[i];
	}
	return NULL;
}

/* A folder that is watched as a whole is in the map under its own path. */
static void see(const struct inotify_event *event)
{
	const char *folder = folder_of(event->wd);
	char path[PATH_BYTES];
	int len;

	if (!folder || event->len == 0)
		return;
	len = snprintf(path, sizeof(path), "%s/%s", folder, event->name);
	if (len < 0 || len >= (int)sizeof(path))
		return;
	if (!ph_map_get(watch.files, ph_str(path)) && !ph_map_get(watch.files, ph_str(folder)))
		return;
	snprintf(watch.last, sizeof(watch.last), "%s", path);
	ph_timer_start(&watch.settle, SETTLE_TIME, report, NULL);
}

static void read_events(void *arg, int events)
{
	alignas(struct inotify_event) char bytes[8192];
	ssize_t len = read(watch.fd, bytes, sizeof(bytes));

	(void)arg, (void)events;
	for (ssize_t at = 0; at < len;) {
		const struct inotify_event *event = (const struct inotify_event *)(const void *)(bytes + at);

		see(event);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

void watch_open(void (*changed)(const char *path))
{
	watch.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	watch.changed = changed;
	watch.files = ph_map_new();
	if (watch.fd < 0)
		ph_log(PH_LOG_WARN, "cannot watch files: changes need a reload by hand",
			PH_LOG_TEXT("error", strerror(errno)));
	else
		ph_io_start(&watch.input, watch.fd, PH_READABLE, read_events, NULL);
}

static void tell_unwatched(const char *folder)
{
	if (!watch.told)
		ph_log(PH_LOG_WARN, "cannot watch a folder: changes need a reload by hand",
			PH_LOG_TEXT("folder", folder), PH_LOG_TEXT("error", strerror(errno)));
	watch.told = true;
}

/* The descriptor of a watch, which one folder has once; or -1 and errno. */
static int add_watch(const char *folder)
{
	int descriptor = inotify_add_watch(watch.fd, folder, IN_CLOSE_WRITE | IN_MOVED_TO);

	if (descriptor < 0 || watch.folder_count < FOLDERS_MAX || folder_of(descriptor))
		return descriptor;
	inotify_rm_watch(watch.fd, descriptor);
	errno = ENOSPC;
	return -1;
}

static void add_folder(struct ph_str folder)
{
	char *copy = ph_str_dup(folder);
	int descriptor = watch.fd < 0 ? -1 : add_watch(copy);

	if (descriptor < 0 && watch.fd >= 0)
		tell_unwatched(copy);
	if (descriptor < 0 || folder_of(descriptor)) {
		free(copy);
		return;
	}
	watch.folders[watch.folder_count] = copy;
	watch.descriptors[watch.folder_count++] = descriptor;
}

/* The folder as the system knows it, so that one folder with two names is one. NULL when it is not there. */
static char *real_folder(struct ph_str folder)
{
	char *copy = ph_str_dup(folder), *real = realpath(copy, NULL);

	free(copy);
	return real;
}

void watch_file(struct ph_str path)
{
	ptrdiff_t slash = ph_str_rfind(path, '/');
	char *folder = slash > 0 ? real_folder(ph_str_slice(path, 0, (size_t)slash)) : NULL;
	char real[PATH_BYTES];
	int len;

	if (!folder)
		return;
	add_folder(ph_str(folder));
	len = snprintf(
		real, sizeof(real), "%s%.*s", folder, (int)(path.len - (size_t)slash), path.data + slash);
	if (len > 0 && len < (int)sizeof(real))
		ph_map_put(watch.files, ph_str(real), &watch);
	free(folder);
}

void watch_folder(struct ph_str path)
{
	char *folder = real_folder(path);

	if (!folder)
		return;
	add_folder(ph_str(folder));
	ph_map_put(watch.files, ph_str(folder), &watch);
	free(folder);
}

void watch_clear(void)
{
	/* What has happened already counts. */
	if (watch.fd >= 0)
		read_events(NULL, 0);
	for (; watch.folder_count > 0; watch.folder_count--) {
		inotify_rm_watch(watch.fd, watch.descriptors[watch.folder_count - 1]);
		free(watch.folders[watch.folder_count - 1]);
	}
	ph_map_free(&watch.files);
	watch.files = ph_map_new();
	watch.told = false;
}

void watch_forget(void)
{
	if (watch.fd >= 0)
		close(watch.fd);
	watch.fd = -1;
}

void watch_close(void)
{
	ph_timer_stop(&watch.settle);
	ph_io_stop(&watch.input);
	watch_clear();
	ph_map_free(&watch.files);
	watch_forget();
}
