/* Giving up root. */
#include <config.h>

#include "user.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct passwd *find_passwd(const struct config *config)
{
	const struct passwd *found = getpwnam(config->user);

	return found || strcmp(config->user, "posthorn") != 0 ? found : getpwnam("nobody");
}

int user_find(const struct config *config, struct user *user_r, struct ph_error *error)
{
	const struct passwd *passwd;
	const struct group *group;

	*user_r = (struct user){ .uid = -1, .gid = -1 };
	if (geteuid() != 0)
		return 0;
	passwd = find_passwd(config);
	if (!passwd)
		return ph_error_set(
			error, PH_E_ABSENT, "no such user", "there is no user '%s'", config->user);
	if (passwd->pw_uid == 0)
		return ph_error_set(
			error, PH_E_DENIED, "not as root", "user '%s' is root: name another", config->user);
	user_r->change = true;
	user_r->uid = (int)passwd->pw_uid;
	user_r->gid = (int)passwd->pw_gid;
	snprintf(user_r->name, sizeof(user_r->name), "%s", passwd->pw_name);
	if (!config->group[0])
		return 0;
	group = getgrnam(config->group);
	if (!group)
		return ph_error_set(
			error, PH_E_ABSENT, "no such group", "there is no group '%s'", config->group);
	user_r->gid = (int)group->gr_gid;
	return 0;
}

int user_become(const struct user *user, struct ph_error *error)
{
	if (!user->change)
		return 0;
	if (initgroups(user->name, (gid_t)user->gid) != 0 || setgid((gid_t)user->gid) != 0 ||
		setuid((uid_t)user->uid) != 0)
		return ph_error_set(error, PH_E_DENIED, "cannot change the user", "cannot become user %s: %s",
			user->name, strerror(errno));
	if (setuid(0) == 0)
		return ph_error_set(
			error, PH_E_DENIED, "cannot change the user", "root came back after setuid");
	return 0;
}

static int make_one(const char *path, mode_t mode, struct ph_error *error)
{
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	return ph_error_set(error, PH_E_IO, "cannot make a directory", "%s: %s", path, strerror(errno));
}

int user_make_directory(const struct user *user, const char *path, struct ph_error *error)
{
	char above[PATH_MAX];
	struct stat st;
	int result = 0;

	if (snprintf(above, sizeof(above), "%s", path) >= (int)sizeof(above))
		return ph_error_set(error, PH_E_LIMIT, "path too long", "%.100s...: path too long", path);
	for (char *slash = strchr(above + 1, '/'); slash && result == 0; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		result = make_one(above, 0755, error);
		*slash = '/';
	}
	if (result == 0)
		result = make_one(path, 0750, error);
	if (result != 0)
		return result;
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return ph_error_set(error, PH_E_IO, "no directory", "%s: is no directory", path);
	if (user->change && chown(path, (uid_t)user->uid, (gid_t)user->gid) != 0)
		return ph_error_set(
			error, PH_E_IO, "cannot make a directory", "%s: %s", path, strerror(errno));
	return 0;
}
