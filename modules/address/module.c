/* The module address: addresses and host names of SMTP envelopes; see posthorn/address.h. */
#include <posthorn/module.h>

#include "syntax.h"

const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "address",
	.summary = "Reads and compares mail addresses and host names.",
	.provides = (const char *const[]){ "address/1", NULL },
	.services = (const void *const[]){ &address_service },
};
