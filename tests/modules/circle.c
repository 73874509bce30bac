/* Needs what it provides, by way of another. Built twice: as `circle` and as `circle_too`. */
#include <posthorn/module.h>

static const int service;

const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
#ifdef CIRCLE_TOO
	.name = "circle_too",
	.provides = (const char *const[]){ "circle-two/1", NULL },
	.needs = (const char *const[]){ "circle-one/1", NULL },
#else
	.name = "circle",
	.provides = (const char *const[]){ "circle-one/1", NULL },
	.needs = (const char *const[]){ "circle-two/1", NULL },
#endif
	.services = (const void *const[]){ &service, NULL },
	.summary = "Needs another module that needs this one.",
};
