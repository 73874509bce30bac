/* Who the server is: root only where it must be, the configured user for all that meets the world. */
#ifndef POSTHORN_USER_H
#define POSTHORN_USER_H

#include <stdbool.h>

#include <posthorn/error.h>

#include "conf_private.h"

struct user {
	bool change;  /* started as root: become somebody else */
	int uid, gid; /* -1 unless change */
	char name[65];
};

/* Finds the configured user. Where the default one, "posthorn", was never made, "nobody" takes its place. */
int user_find(const struct config *config, struct user *user_r, struct ph_error *error);
/* For good, and with all groups. */
int user_become(const struct user *user, struct ph_error *error);
/* Makes the directory (and those above it) if need be, and gives it to the user. */
int user_make_directory(const struct user *user, const char *path, struct ph_error *error);

#endif
