/* A folder for a test's files. */
#ifndef TEMPORARY_H
#define TEMPORARY_H

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define TEMPORARY_MAX 4096

static inline void make_temporary(char path[static TEMPORARY_MAX])
{
	const char *parent = getenv("TMPDIR");

	snprintf(path, TEMPORARY_MAX, "%s/posthorn-test-XXXXXX", parent ? parent : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(path));
}

static inline int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void remove_temporary(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
