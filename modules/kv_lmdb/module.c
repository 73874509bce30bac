/* The module: its options and its descriptor. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <posthorn/conf.h>
#include <posthorn/mem.h>
#include <posthorn/module.h>

#include "kv_lmdb.h"
#include "tool.h"

#define KB INT64_C(1024)
#define TB (KB * KB * KB * KB)

static struct kv_lmdb_config config;

static const struct ph_option options[] = {
	PH_OPTION_SIZE(struct kv_lmdb_config, map_size, "16G", KB *KB, 64 * TB,
		"Address space for the store at first; it grows by itself. Takes no disk space."),
	PH_OPTION_SIZE(struct kv_lmdb_config, map_max, "8192G", KB *KB, 64 * TB,
		"What the store may grow to; beyond, new mail is refused for the time being."),
	PH_OPTION_NUMBER(struct kv_lmdb_config, group_updates, "256", 1, 65536,
		"How many waiting changes are made durable with one flush of the disk."),
	PH_OPTION_SIZE(struct kv_lmdb_config, group_size, "32M", 4096, KB *KB *KB,
		"Bytes of messages beyond which such a group is closed."),
	PH_OPTION_SIZE(struct kv_lmdb_config, segment_size, "64M", KB *KB, 1024 * KB * KB,
		"Bytes of a file of the journal. Disk space is taken for one of them ahead."),
	PH_OPTION_SIZE(struct kv_lmdb_config, checkpoint_after, "256M", KB *KB, TB,
		"Bytes of journal after which the index is written to a checkpoint. More takes longer to "
		"read again "
		"after the system stopped without warning."),
	PH_OPTION_NUMBER(struct kv_lmdb_config, compact_percent, "50", 0, 100,
		"A file of the journal of which less is still needed is compacted: more gives space back "
		"sooner, and "
		"writes more. 0: only what is not needed at all goes."),
	PH_OPTIONS_END
};

static int start(struct ph_error *error)
{
	const struct ph_core_config *core = ph_core_config();
	/* Old workers that drain, new ones, and tools beside them. */
	unsigned processes = (unsigned)core->workers * 4 + 64;
	size_t size = strlen(core->data_directory) + sizeof("/store");
	char *directory = ph_alloc(size);
	int result;

	snprintf(directory, size, "%s/store", core->data_directory);
	result = kv_lmdb_open(directory, &config, processes, error);
	free(directory);
	return result;
}

const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "kv_lmdb",
	.summary =
		"Keeps keys, values and message bytes on this machine: in a journal, with LMDB as its index.",
	.provides = (const char *const[]){ PH_KV_SERVICE, PH_KV_BACKUP_SERVICE, PH_KV_DAMAGE_SERVICE, NULL },
	.services =
		(const void *const[]){ &kv_lmdb_service, &kv_lmdb_backup_service, &kv_lmdb_damage_service },
	.options = options,
	.config = &config,
	.tools = store_tools,
	.start = start,
	.stop = kv_lmdb_close,
};
