/* `posthorn import` and `posthorn export`. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>

#include "../tool.h"
#include "export.h"
#include "import.h"

static int finish(const char *action, int result, uint64_t done, uint64_t there, uint64_t refused,
	const struct ph_error *error)
{
	ph_progress_hide();
	printf("%" PRIu64 " %sed, %" PRIu64 " there already, %" PRIu64 " refused\n", done, action, there,
		refused);
	if (result < 0)
		return ph_tool_failed(action, error);
	return refused > 0 ? PH_EXIT_FAILED : PH_EXIT_OK;
}

int import_run(const char *address,
	int (*source)(struct ph_import *import, void *arg, struct ph_error *error), void *arg)
{
	struct ph_import import = { 0 };
	struct ph_error error = { 0 };
	int status = tool_find_account(address, &import.account), result;

	if (status != PH_EXIT_OK)
		return status;
	result = source(&import, arg, &error);
	return finish("import", result, import.taken, import.there, import.refused, &error);
}

static int import_kind(
	int argc, char **argv, int (*source)(struct ph_import *import, void *path, struct ph_error *error))
{
	if (argc == 2)
		return import_run(argv[1], source, argv[0]);
	fputs("posthorn: give a path and an address\n", stderr);
	return PH_EXIT_USAGE;
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
	return finish("export", result, export.written, export.there, export.refused, &error);
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
