/* Files that mail is taken from: they are whatever lies in somebody's folder. */
#ifndef STORE_SOURCE_FILE_H
#define STORE_SOURCE_FILE_H

#include <stdio.h>

/* Opens a file for reading; not pipes and devices, which could keep the reader waiting for ever. NULL: *why_r
 * tells the reason, or is NULL when there is no such file. */
FILE *source_file_open(const char *path, const char **why_r);

#endif
