/* A program that lies beside a folder modules/.libs was built there and not installed: it uses that build's
 * modules, and the scripts and templates of the source tree it was built from. */
#include <config.h>

#include "paths.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
	char program[PATH_MAX];
	char modules[PATH_MAX];
	bool uninstalled;
	bool known;
} paths;

static void find_paths(void)
{
	ssize_t len = readlink("/proc/self/exe", paths.program, sizeof(paths.program) - 1);
	const char *slash;

	paths.known = true;
	paths.program[len > 0 ? len : 0] = '\0';
	slash = strrchr(paths.program, '/');
	if (!slash)
		return;
	len = snprintf(paths.modules, sizeof(paths.modules), "%.*s/modules/.libs",
		(int)(slash - paths.program), paths.program);
	paths.uninstalled =
		len > 0 && (size_t)len < sizeof(paths.modules) && access(paths.modules, X_OK) == 0;
}

static bool is_uninstalled(void)
{
	if (!paths.known)
		find_paths();
	return paths.uninstalled;
}

const char *paths_program(void)
{
	if (!paths.known)
		find_paths();
	return paths.program;
}

const char *paths_modules(void)
{
	return is_uninstalled() ? paths.modules : PH_MODULE_DIRECTORY;
}

const char *paths_scripts(void)
{
	return is_uninstalled() ? PH_SOURCE_DIRECTORY "/scripts" : PH_SCRIPT_DIRECTORY;
}

const char *paths_templates(void)
{
	return is_uninstalled() ? PH_SOURCE_DIRECTORY "/conf" : PH_SCRIPT_DIRECTORY;
}
