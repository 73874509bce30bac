/* The contract of "kv/1", held by kv_lmdb; and what is its own: growing at the limit. */
#include <config.h>

#include <string.h>

#include "../../modules/kv_lmdb/kv_lmdb.h"
#include "../unit/fiber_main.h"
#include "kv.h"

static int open_small(const char *directory, struct ph_error *error)
{
	static const struct kv_lmdb_config config = {
		.map_size = 64 * 1024,
		.map_max = INT64_C(1) << 34,
		.group_updates = 100,
		.group_size = 1 << 20,
	};

	return kv_lmdb_open(directory, &config, 16, error);
}

static const struct kv_provider provider = { "kv_lmdb", &kv_lmdb_service, open_small, kv_lmdb_close };

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "writer") == 0)
		return kv_writer(&provider, argv + 2);
	return fiber_main(kv_contract(&provider));
}
