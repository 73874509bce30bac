/* `posthorn import` and `posthorn export`. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>

#include "export.h"
#include "import.h"
#include "tool.h"

static int finish(const char *what, int result, uint64_t done, uint64_t there, uint64_t refused,
	const struct ph_error *error)
{
	ph_progress_hide();
	printf("%" PRIu64 " %s, %" PRIu64 " there already, %" PRIu64 " refused\n", done, what, there,
		refused);
	if (result < 0)
		return ph_tool_failed(what, error);
	return refused > 0 ? PH_EXIT_FAILED : PH_EXIT_OK;
}

static int import_kind(
	int argc, char **argv, int (*run)(struct import *import, const char *path, struct ph_error *error))
{
	struct import import = { 0 };
	struct ph_error error = { 0 };
	int status, result;

	if (argc != 2) {
		fputs("posthorn: give a path and an address\n", stderr);
		return PH_EXIT_USAGE;
	}
	status = tool_find_account(argv[1], &import.account);
	if (status != PH_EXIT_OK)
		return status;
	result = run(&import, argv[0], &error);
	return finish("imported", result, import.taken, import.there, import.refused, &error);
}

static int export_kind(int argc, char **argv, int (*run)(struct export *export, struct ph_error *error))
{
	struct export export = { 0 };
	struct ph_error error = { 0 };
	int status, result;

	if (argc != 2) {
		fputs("posthorn: give an address and a path\n", stderr);
		return PH_EXIT_USAGE;
	}
	export.path = argv[1];
	status = tool_find_account(argv[0], &export.account);
	if (status != PH_EXIT_OK)
		return status;
	result = run(&export, &error);
	return finish("exported", result, export.written, export.there, export.refused, &error);
}

int import_maildir_tool(int argc, char **argv)
{
	return import_kind(argc, argv, import_maildir);
}

int import_mbox_tool(int argc, char **argv)
{
	return import_kind(argc, argv, import_mbox);
}

int export_maildir_tool(int argc, char **argv)
{
	return export_kind(argc, argv, export_maildir);
}

int export_mbox_tool(int argc, char **argv)
{
	return export_kind(argc, argv, export_mbox);
}
