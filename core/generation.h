/* A generation: one configuration and the workers that live by it. The master has a current one; while a
 * reload is under way a starting one; and those of the past whose connections have not ended yet. */
#ifndef POSTHORN_GENERATION_H
#define POSTHORN_GENERATION_H

#include <stdbool.h>

#include <posthorn/list.h>
#include <posthorn/loop.h>
#include <posthorn/map.h>

#include "conf_private.h"
#include "user.h"
#include "worker.h"

enum generation_state { GENERATION_STARTING, GENERATION_CURRENT, GENERATION_DRAINING };

struct generation;

/* A place for a worker: there is one in it, or one is wanted, or neither. */
struct worker_place {
	struct generation *generation;
	unsigned slot;
	pid_t pid; /* 0: none */
	int channel;
	struct ph_io input;
	struct ph_child child;
	bool ready;
	bool accepting; /* was told to, and has not said that it ended that */
	bool wanted;    /* to be forked when the loop has returned */
	ph_msec started;
	ph_msec delay; /* before the next attempt */
	struct ph_timer respawn;
};

struct generation {
	struct ph_list link;
	unsigned number;
	enum generation_state state;
	struct config *config;
	struct user user;
	int *listener_fds;
	struct worker_place *places;
	size_t count;
	struct ph_map *files; /* what the policy consists of, as keys */
	bool failed;          /* a worker could not start */
	struct ph_error error;
};

/* All generations, and what their workers share with the master. */
extern struct ph_list generations;
/* Makes room for so many workers of all generations together. */
int generations_open(unsigned slots, struct ph_error *error);
unsigned generations_free_slots(void);
/* Sends every worker of every generation a signal. */
void generations_signal(int signal_number);
/* Kills workers whose loop does not turn. */
void generations_check_beats(void);

/* Takes over the configuration. Listeners that `former` (or NULL) has, too, are shared with it. */
struct generation *generation_new(
	struct config **config, const struct generation *former, struct ph_error *error);
/* Forks the workers that are wanted. Only while the loop does not run. */
void generation_spawn(struct generation *generation);
bool generation_is_ready(const struct generation *generation);
/* Does any of its workers still accept connections? */
bool generation_accepts(const struct generation *generation);
size_t generation_living(const struct generation *generation);
/* Says this to all workers. */
void generation_tell(struct generation *generation, enum worker_message message);
/* It is the one in use from now on. */
void generation_promote(struct generation *generation);
/* No worker of it will be started again; the listening sockets are given up. */
void generation_retire(struct generation *generation);
/* When no worker lives. */
void generation_free(struct generation **generation);
/* Lines for `posthorn status`. */
void generation_print(const struct generation *generation, struct ph_buf *out);

#endif
