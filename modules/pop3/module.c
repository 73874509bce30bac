/* The module pop3. */
#include <config.h>

#include "session.h"

#include <posthorn/module.h>
#include <posthorn/service.h>

struct pop3_config pop3_config;
const struct ph_store_service *pop3_store;
const struct ph_auth_service *pop3_auth;

static const struct ph_option options[] = {
	PH_OPTION_NUMBER(struct pop3_config, max_errors, "10", 1, 1000,
		"After so many commands that break the protocol a connection is closed."),
	PH_OPTION_BOOL(struct pop3_config, mark_seen, "false",
		"Mark messages that a client retrieved as seen, when it ends with QUIT. Otherwise POP3 "
		"leaves what IMAP "
		"clients see as new alone."),
	PH_OPTIONS_END
};

static int init(struct ph_error *error)
{
	(void)error;
	pop3_store = ph_service(PH_STORE_SERVICE);
	pop3_auth = ph_service(PH_AUTH_SERVICE);
	return 0;
}

PH_MODULE_EXPORT;
const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "pop3",
	.summary = "POP3 server: RFC 1939, with CAPA, response codes, STLS, AUTH, PIPELINING, TOP and UIDL.",
	.needs = (const char *const[]){ PH_STORE_SERVICE, PH_AUTH_SERVICE, NULL },
	.options = options,
	.config = &pop3_config,
	.hooks = (struct ph_hook_point *const[]){ &pop3_login_hook, NULL },
	.protocols = (const struct ph_protocol *const[]){ &pop3_protocol, NULL },
	.init = init,
};
