/* The module: its options and its descriptor. */
#include <config.h>

#include <posthorn/module.h>

#include "kv_memory.h"

#define MB (INT64_C(1) << 20)

static struct kv_memory_config config;

static const struct ph_option options[] = { PH_OPTION_BOOL(struct kv_memory_config, atomic_partitions, "true",
						    "Changes several partitions in one update, as kv_lmdb "
						    "does. Without, one at a time, as the kv of a "
						    "cluster does."),
	PH_OPTION_SIZE(struct kv_memory_config, size, "256M", MB, 1024 * 1024 * MB,
		"Bytes of keys, values and messages that it takes; beyond, new mail is refused for the time "
		"being."),
	PH_OPTIONS_END };

/* Two workers would each have a store of their own, and a client would find now the one and now the other. */
static int start(struct ph_error *error)
{
	if (ph_core_config()->workers > 1)
		return ph_error_set(error, PH_E_UNSUPPORTED, "the mail store cannot be opened",
			"kv_memory keeps all mail in the memory of one process: set workers = 1");
	kv_memory_open(&config);
	return 0;
}

const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "kv_memory",
	.summary = "Keeps keys, values and message bytes in memory, for tests: nothing outlives the process.",
	.provides = (const char *const[]){ PH_KV_SERVICE, NULL },
	.services = (const void *const[]){ &kv_memory_service },
	.options = options,
	.config = &config,
	.start = start,
	.stop = kv_memory_close,
};
