/* Records what kv_lmdb does to its files, and builds what a disk could hold of it had the system stopped:
 * after each moment, any write that was not flushed may be missing, wholly or in some of its sectors, and any
 * change of names. */
#ifndef CRASH_RECORDER_H
#define CRASH_RECORDER_H

#include <stddef.h>

/* Replaces kv_lmdb's file operations by recording ones. Files that are there are durable. */
void recorder_start(const char *directory);
/* Puts the true ones back; what was recorded stays. */
void recorder_stop(void);
void recorder_free(void);

/* How many events there are: a moment. */
size_t recorder_now(void);
/* How many files were removed whose names begin so. */
unsigned recorder_unlinked(const char *beginning);
/* Fills an empty folder with what could be left after the moment; `chance` decides what. */
void recorder_build(const char *directory, size_t moment, unsigned chance);

#endif
