/* Watching files for changes: what was saved is noticed at once, so that a policy takes effect by being
 * saved. */
#ifndef POSTHORN_WATCH_H
#define POSTHORN_WATCH_H

#include <posthorn/str.h>

/* Calls changed(path) when a watched file was written or replaced; once for changes that come close together.
 */
void watch_open(void (*changed)(const char *path));
/* Forgets all files and begins anew. */
void watch_clear(void);
void watch_file(struct ph_str path);
/* All files in that folder. */
void watch_folder(struct ph_str path);
void watch_close(void);
/* In a process that was forked from the one who watches. */
void watch_forget(void);

#endif
