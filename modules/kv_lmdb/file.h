/* What is done to the store's files, LMDB's own apart: through one table, so that tests can record it, and
 * make it fail. */
#ifndef KV_LMDB_FILE_H
#define KV_LMDB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* As the system calls; -1 and errno. */
struct file_operations {
	int (*open)(const char *path, int flags);
	int (*close)(int fd);
	/* Where not `wait`, only what is in memory: -1 and EAGAIN else. */
	ssize_t (*read)(int fd, const struct iovec *part, off_t offset, bool wait);
	ssize_t (*write)(int fd, const struct iovec *parts, int count, off_t offset);
	int (*allocate)(int fd, off_t offset, off_t size);
	/* Blocks for later: the file's size stays. */
	int (*reserve)(int fd, off_t offset, off_t size);
	int (*truncate)(int fd, off_t size);
	/* The file's data and size. */
	int (*flush)(int fd);
	/* Everything; also for folders. */
	int (*flush_all)(int fd);
	int (*rename)(const char *from, const char *to);
	int (*unlink)(const char *path);
	/* Gives a file without a name a name. */
	int (*link)(int fd, const char *path);
	/* Bytes that are free where the file lies. */
	int (*free_space)(int fd, uint64_t *bytes_r);
};

extern const struct file_operations file_system_calls;
/* What is in use. */
extern struct file_operations file_operations;

/* The rest returns 0 or an errno. */

/* All parts, one behind the other; changes `parts`. */
int file_write(int fd, struct iovec *parts, size_t count, uint64_t offset);
/* So many bytes; EIO when the file ends before. */
int file_read(int fd, void *to, size_t size, uint64_t offset);
/* The same, if it need not wait for the disk; false: nothing is known. */
bool file_read_cached(int fd, void *to, size_t size, uint64_t offset);
int file_size(int fd, uint64_t *size_r);
/* A hint: lets the disk begin to write this, so that less is left for the flush. */
void file_start_flush(int fd, uint64_t offset, uint64_t size);
/* Makes names in the folder durable. */
int file_flush_folder(const char *path);
/* Was there no space? */
bool file_is_full(int rc);
/* Replaces or makes a small file, durable, whole or not at all. */
int file_replace(const char *path, const char *folder, const char *text);
/* Changes a small file where it lies, durable; this works on a full disk too. A crash may leave a mixture. */
int file_overwrite(const char *path, const char *text);
/* Reads a small text file; at most size - 1 bytes. */
int file_read_text(const char *path, char *text_r, size_t size);
/* DIRECTORY/NAME */
char *file_path(const char *directory, const char *name) __attribute__((malloc, returns_nonnull));
/* DIRECTORY/0000000000000001 */
char *file_number_path(const char *directory, uint64_t number) __attribute__((malloc, returns_nonnull));
/* The numbers that files in the folder have as names, ascending; to be freed. Other names are passed over. */
int file_numbers(const char *directory, uint64_t **numbers_r, size_t *count_r);

#endif
