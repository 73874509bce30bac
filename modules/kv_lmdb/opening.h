/* Who has the store open, and whether its index can be trusted. Functions return 0, an errno, or a ph_code.
 */
#ifndef KV_LMDB_OPENING_H
#define KV_LMDB_OPENING_H

#include <stdbool.h>

/* Makes a store's folder, and those in it, if need be. PH_E_UNSUPPORTED: it is in another layout. */
int opening_make_folder(const char *store);

/* Is there a store in this folder? ENOENT, ENOTDIR: none; PH_E_UNSUPPORTED: in another layout. */
int opening_check_folder(const char *store);
/* Keeps all others from opening the store until the descriptor is closed. PH_E_BUSY: somebody has it open. */
int opening_hold(const char *store, int *fd_r);

/* Makes the folder if need be, and keeps others from opening or closing it until opening_end(). *alone_r:
 * nobody else has it open. */
int opening_begin(const char *directory, bool *alone_r);
/* For who is alone: was the index closed cleanly, or made since the system started? */
bool opening_index_is_good(void);
/* For who is alone: from now on it is good as long as the system runs. */
int opening_index_made(void);
/* For who is alone: it was made durable. */
int opening_index_closed(void);
/* On any thread: the index is damaged; the next who is alone makes it anew. */
void opening_index_bad(void);
void opening_end(void);

/* Once more before close: as opening_begin(). */
int opening_begin_close(bool *alone_r);
void opening_close(void);

/* For the one, of all processes and threads, that may write checkpoints and compact. False: it is another. */
bool opening_take_care(void);
void opening_end_care(void);

#endif
