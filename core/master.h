/* The master: `posthorn serve`. */
#ifndef POSTHORN_MASTER_H
#define POSTHORN_MASTER_H

#include "conf_private.h"

struct master_options {
	const char *config_file;
	/* Called once, when the first generation accepts connections; or NULL. */
	void (*ready)(const struct config *config);
};

/* Serves until it is told to stop; returns the exit code. */
int master_run(const struct master_options *options);

#endif
