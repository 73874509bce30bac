/* `posthorn store ...`: beside a running server or without one. */
#include <config.h>

#include "tool.h"

#include <lmdb.h>
#include <stdio.h>

#include "admin.h"

static int report(const char *what, int rc)
{
	if (rc == 0)
		return PH_EXIT_OK;
	if (rc == PH_E_BUSY)
		fprintf(stderr, "%s: the server is doing it already\n", what);
	else
		fprintf(stderr, "%s: %s\n", what,
			rc < 0 && rc > MDB_LAST_ERRCODE ? ph_code_name(rc) : mdb_strerror(rc));
	return PH_EXIT_FAILED;
}

static bool takes_nothing(int argc, char **argv)
{
	if (argc > 0)
		fprintf(stderr, "what is '%s'? the command takes no arguments\n", argv[0]);
	return argc == 0;
}

static void print_bytes(const char *what, uint64_t bytes)
{
	char text[PH_TOOL_BYTES];

	printf("%-34s %10s\n", what, ph_tool_bytes(bytes, text));
}

static void print_number(const char *what, uint64_t number)
{
	printf("%-34s %10llu\n", what, (unsigned long long)number);
}

static int run_stat(int argc, char **argv)
{
	struct admin_stat stat;
	int rc;

	if (!takes_nothing(argc, argv))
		return PH_EXIT_USAGE;
	rc = admin_stat(&stat);
	if (rc)
		return report("store stat", rc);
	print_number("journal: segments", stat.segments);
	print_bytes("journal: on the disk", stat.journal_bytes);
	print_bytes("journal: messages", stat.live_bytes);
	print_bytes("journal: compaction would free", stat.reclaimable_bytes);
	print_bytes("journal: since the last checkpoint", stat.since_checkpoint);
	print_number("large messages: files", stat.large_files);
	print_bytes("large messages: on the disk", stat.large_bytes);
	print_number("checkpoints: files", stat.checkpoints);
	print_bytes("checkpoints: on the disk", stat.checkpoint_bytes);
	print_bytes("index: in use", stat.index_bytes);
	print_number("index: readers", stat.readers);
	print_number("index: readers at most", stat.readers_max);
	return PH_EXIT_OK;
}

static int run_checkpoint(int argc, char **argv)
{
	if (!takes_nothing(argc, argv))
		return PH_EXIT_USAGE;
	return report("store checkpoint", admin_checkpoint());
}

static int run_compact(int argc, char **argv)
{
	struct admin_stat before, after;
	int rc;

	if (!takes_nothing(argc, argv))
		return PH_EXIT_USAGE;
	rc = admin_stat(&before);
	if (!rc)
		rc = admin_compact();
	if (!rc)
		rc = admin_stat(&after);
	if (rc)
		return report("store compact", rc);
	print_bytes("journal: before", before.journal_bytes);
	print_bytes("journal: now", after.journal_bytes);
	return PH_EXIT_OK;
}

static int run_backup(int argc, char **argv)
{
	struct backup_figures figures;
	int rc;

	if (argc != 1) {
		fprintf(stderr, "store backup: name one folder\n");
		return PH_EXIT_USAGE;
	}
	rc = admin_backup(argv[0], &figures);
	if (rc)
		return report("store backup", rc);
	print_number("backup: new files", figures.files);
	print_bytes("backup: new bytes", figures.bytes);
	return PH_EXIT_OK;
}

const struct ph_tool store_tools[] = {
	{ "store stat", "", "Shows what the store takes on the disk, and what compaction would free.",
		run_stat },
	{ "store checkpoint", "",
		"Writes the index to a checkpoint now.\n"
		"The server does so by itself (option checkpoint_after of kv_lmdb).",
		run_checkpoint },
	{ "store compact", "",
		"Gives back the space of deleted messages now.\n"
		"The server does so by itself, with less effort (option compact_percent of kv_lmdb). The "
		"newest part of\n"
		"the journal, back to the last checkpoint but one, is left alone.",
		run_compact },
	{ "store backup", "FOLDER",
		"Brings a copy of the store up to date: only what is new is linked or copied.\n"
		"See store restore for the way back.",
		run_backup },
	{ 0 },
};
