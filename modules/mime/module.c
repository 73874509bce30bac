/* The module mime: reads messages. A library with a service's face; see posthorn/mime.h. */
#include <posthorn/module.h>

#include "object.h"
#include "service.h"

const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "mime",
	.summary = "Reads messages: structure, headers, encodings, charsets.",
	.provides = (const char *const[]){ "mime/1", NULL },
	.services = (const void *const[]){ &mime_service },
	.objects = (const struct ph_object_type *const[]){ &message_type, NULL },
};
