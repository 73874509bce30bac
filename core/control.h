/* The control socket: how `posthorn status`, `reload` and `stop` talk to a running server. A request is one
 * line; the answer is a line "ok" or "failed", then text up to the end of the connection. */
#ifndef POSTHORN_CONTROL_H
#define POSTHORN_CONTROL_H

#include <stdbool.h>

#include <posthorn/buf.h>
#include <posthorn/error.h>

/* In the master. `answer` runs on a fiber and may park: it writes the text and says whether it worked. */
typedef bool control_answer(struct ph_str request, struct ph_buf *text);
int control_open(const char *path, control_answer *answer, struct ph_error *error);
/* Belongs to that user from now on. */
int control_chown(const char *path, int uid, int gid);
/* Closes and removes the socket. */
void control_close(void);
/* In a process that was forked from the master: closes without removing. */
void control_forget(void);

/* Elsewhere; blocks. 1 for "ok", 0 for "failed", PH_E_UNAVAILABLE when no server answers. */
int control_ask(const char *path, struct ph_str request, struct ph_buf *text, struct ph_error *error);

#endif
