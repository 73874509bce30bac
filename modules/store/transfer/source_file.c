#include <config.h>

#include "source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FILE *source_file_open(const char *path, const char **why_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	FILE *file = NULL;

	*why_r = NULL;
	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0 || fstat(fd, &status) != 0)
		*why_r = strerror(errno);
	else if (!S_ISREG(status.st_mode))
		*why_r = "is no file";
	else if (!(file = fdopen(fd, "r")))
		*why_r = strerror(errno);
	if (!file && fd >= 0)
		close(fd);
	return file;
}
