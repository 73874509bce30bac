/* Provides the same as `fine`. */
#include <posthorn/module.h>

static const int service = 43;

const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "twin",
	.summary = "Provides what another module provides.",
	.provides = (const char *const[]){ "fine/1", NULL },
	.services = (const void *const[]){ &service, NULL },
};
