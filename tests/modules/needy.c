/* Needs what `fine` provides, and looks it up as it should. */
#include <posthorn/module.h>
#include <posthorn/service.h>

static const int *fine;

static int init(struct ph_error *error)
{
	fine = ph_service("fine/1");
	return fine && *fine == 42
		       ? 0
		       : ph_error_set(error, PH_E_ABSENT, "no service", "fine/1 is not what it was");
}

const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "needy",
	.summary = "Needs another module.",
	.needs = (const char *const[]){ "fine/1", NULL },
	.init = init,
};
