/* Loaded into the server with LD_PRELOAD: calls on files fail while the file FAILING_CALLS says so. It holds
 * a line "ERRNO PATH CALL CALL ...": what these calls fail with, on files whose path begins so. When it is
 * empty or not there, nothing fails. It is read on every call, so that a fault comes and goes without a
 * signal, in all processes at once. */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* which would make inline functions of some of them */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))
#define LINE_SIZE 1024
#define PATH_SIZE 4096

/* Without the functions that are replaced here. */
static int read_line(char line_r[static LINE_SIZE])
{
	const char *path = getenv("FAILING_CALLS");
	long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
	long got;

	if (fd < 0)
		return -1;
	got = syscall(SYS_read, fd, line_r, LINE_SIZE - 1);
	syscall(SYS_close, fd);
	line_r[got > 0 ? got : 0] = '\0';
	return got > 0 ? 0 : -1;
}

static int names_call(char *calls, const char *call)
{
	char *rest;

	for (char *name = strtok_r(calls, " \n", &rest); name; name = strtok_r(NULL, " \n", &rest))
		if (strcmp(name, call) == 0)
			return 1;
	return 0;
}

/* 0, or what the call fails with. */
static int failure(const char *call, const char *path)
{
	char line[LINE_SIZE], *beginning, *calls;
	int code;

	if (read_line(line) < 0)
		return 0;
	code = (int)strtol(line, &beginning, 10);
	beginning += strspn(beginning, " ");
	calls = strchr(beginning, ' ');
	if (!calls || strncmp(path, beginning, (size_t)(calls - beginning)) != 0)
		return 0;
	return names_call(calls, call) ? code : 0;
}

static int fails(const char *call, const char *path)
{
	int before = errno, code = failure(call, path);

	errno = code ? code : before;
	return code != 0;
}

static int fails_on(const char *call, int fd)
{
	char link[64], path[PATH_SIZE];
	int before = errno;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	errno = before;
	if (len < 0)
		return 0;
	path[len] = '\0';
	return fails(call, path);
}

/* The function that is replaced. */
#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

SHOWN int open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	if (fails((flags & O_ACCMODE) == O_RDONLY ? "open_to_read" : "open_to_write", path))
		return -1;
	return REAL(open)(path, flags, mode);
}

SHOWN ssize_t preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	return fails_on("read", fd) ? -1 : REAL(preadv2)(fd, parts, count, offset, flags);
}

SHOWN ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	return fails_on("write", fd) ? -1 : REAL(pwritev)(fd, parts, count, offset);
}

SHOWN ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	return fails_on("write", fd) ? -1 : REAL(pwrite)(fd, bytes, size, offset);
}

SHOWN ssize_t writev(int fd, const struct iovec *parts, int count)
{
	return fails_on("write", fd) ? -1 : REAL(writev)(fd, parts, count);
}

SHOWN int fallocate(int fd, int mode, off_t offset, off_t size)
{
	return fails_on("fallocate", fd) ? -1 : REAL(fallocate)(fd, mode, offset, size);
}

SHOWN int ftruncate(int fd, off_t size)
{
	return fails_on("ftruncate", fd) ? -1 : REAL(ftruncate)(fd, size);
}

SHOWN int fdatasync(int fd)
{
	return fails_on("flush", fd) ? -1 : REAL(fdatasync)(fd);
}

SHOWN int fsync(int fd)
{
	return fails_on("flush", fd) ? -1 : REAL(fsync)(fd);
}

SHOWN int rename(const char *from, const char *to)
{
	return fails("rename", from) ? -1 : REAL(rename)(from, to);
}

SHOWN int unlink(const char *path)
{
	return fails("unlink", path) ? -1 : REAL(unlink)(path);
}

SHOWN int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
	return fails("link", to) ? -1 : REAL(linkat)(from_folder, from, to_folder, to, flags);
}

SHOWN int inotify_init1(int flags)
{
	return fails("inotify_init", "/") ? -1 : REAL(inotify_init1)(flags);
}

SHOWN int inotify_add_watch(int fd, const char *path, uint32_t events)
{
	return fails("inotify_add_watch", path) ? -1 : REAL(inotify_add_watch)(fd, path, events);
}
