/* One worker: from fork to exit. */
#ifndef POSTHORN_WORKER_H
#define POSTHORN_WORKER_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf_private.h"
#include "user.h"

/* What a worker shows to the master, in memory they share. */
struct worker_board {
	_Atomic int64_t beat; /* when its loop last turned, in ph_now()'s time */
	_Atomic unsigned connections;
};

/* What master and worker say to each other, over a socket that keeps messages apart: one of these, and a
 * text. */
enum worker_message {
	WORKER_FILE = 'f',   /* to the master: the policy consists of this file, too */
	WORKER_READY = 'r',  /* to the master: could accept now */
	WORKER_QUIET = 'q',  /* to the master: accepts no more */
	WORKER_FAILED = 'e', /* to the master: cannot start, and why */
	WORKER_ACCEPT = 'a', /* to the worker: accept connections */
	WORKER_DRAIN = 'd',  /* to the worker: accept no more, end when the last connection has ended */
	WORKER_STOP = 's',   /* to the worker: the same, but tell the clients to go */
};
enum { WORKER_MESSAGE_MAX = 4096 };

struct worker_plan {
	const struct config *config;
	struct user user;
	unsigned number; /* its slot: on the bus, in the metrics, in session ids */
	pid_t master;
	int channel;
	const int *listener_fds; /* as many as the configuration has listeners */
	struct worker_board *board;
};

/* In the new process. */
void worker_run(const struct worker_plan *plan) __attribute__((noreturn));

#endif
