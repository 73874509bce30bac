/* Services by name. There are few and they are looked up once, so a short array does. */
#include <config.h>

#include <posthorn/service.h>

#include <posthorn/error.h>
#include <posthorn/str.h>

#include "module_private.h"

enum { SERVICES_MAX = 128 };

static struct {
	const char *name;
	const void *service;
} services[SERVICES_MAX];
static size_t service_count;

void service_add(const char *name, const void *service)
{
	PH_ASSERT(service_count < SERVICES_MAX);
	services[service_count].name = name;
	services[service_count].service = service;
	service_count++;
}

void service_clear(void)
{
	service_count = 0;
}

const void *ph_service(const char *name)
{
	for (size_t i = 0; i < service_count; i++) {
		if (ph_str_eq(ph_str(services[i].name), ph_str(name)))
			return services[i].service;
	}
	return NULL;
}
