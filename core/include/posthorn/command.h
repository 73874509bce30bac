/* Command tables: one row for each command of a protocol. A row keeps apart what is checked, what a policy
 * may say about it, and what is done: no policy sees nonsense, and nothing happens before its verdict. */
#ifndef POSTHORN_COMMAND_H
#define POSTHORN_COMMAND_H

#include <posthorn/str.h>

struct ph_command {
	const char *name; /* upper case; NULL ends the table */
	unsigned states;  /* the protocol's state bits in which the command is legal */
	unsigned flags;   /* the protocol's own */
	/* May this client say this now, and is it well formed? Parses the arguments into `call`; answers the
	 * client itself and returns false when not. NULL: nothing to check. */
	bool (*check)(void *session, void *call);
	/* Asks policy; answers the client itself and returns false when refused. NULL: no hook. May park. */
	bool (*hook)(void *session, void *call);
	/* Does it and answers. May park. */
	void (*proceed)(void *session, void *call);
};

/* The row of that name, whatever its ASCII case, or NULL. */
const struct ph_command *ph_command_find(const struct ph_command *table, struct ph_str name);
/* check, hook, proceed, as far as each agrees. May park. */
void ph_command_run(const struct ph_command *command, void *session, void *call);

#endif
