/* The module auth: who may log in. */
#include <config.h>

#include "account_tool.h"
#include "login.h"
#include "recent.h"

#include <posthorn/module.h>

static int init(struct ph_error *error)
{
	(void)error;
	login_init();
	account_tool_init();
	return 0;
}

static int start(struct ph_error *error)
{
	int code = recent_start(auth_config.remember);
	return code < 0 ? ph_error_set(error, code, "no randomness", "there is no randomness for a key") : 0;
}

static void stop(void)
{
	recent_stop();
}

PH_MODULE_EXPORT;
const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "auth",
	.summary = "Logins: SASL and plain passwords, checked against the accounts of the store.",
	.provides = (const char *const[]){ PH_AUTH_SERVICE, NULL },
	.needs = (const char *const[]){ PH_STORE_SERVICE, NULL },
	.services = (const void *const[]){ &auth_service },
	.options = auth_options,
	.config = &auth_config,
	.hooks = (struct ph_hook_point *const[]){ &auth_verify_hook, NULL },
	.tools = account_tools,
	.init = init,
	.start = start,
	.stop = stop,
};
