/* The module `delivery`: the service delivery/1 and the hook point deliver.begin. */
#include <config.h>

#include "delivery.h"

#include <posthorn/module.h>
#include <posthorn/service.h>

static const struct ph_option options[] = { PH_OPTION_MAP(struct delivery_config, aliases, 100000,
						    "Addresses that lead to others: [\"info@demo.test\"] = { "
						    "\"alice@demo.test\", \"bob@demo.test\" }. "
						    "[\"@demo.test\"] catches all that is nobody else's. An "
						    "alias that names itself keeps a copy."),
	PH_OPTION_TEXT(struct delivery_config, separator, "+", 8,
		"What parts a user from a sub-address (each of these characters does): mail for alice+tag "
		"goes to "
		"alice. Empty: no sub-addresses."),
	PH_OPTION_BOOL(struct delivery_config, mailbox_by_detail, "false",
		"Deliver mail for alice+Work to her mailbox Work, if there is one."),
	PH_OPTION_TEXT(struct delivery_config, postmaster, "", 320,
		"The address that gets the postmaster's mail of all domains, unless an account or alias is "
		"named so. "
		"RFC 5321 wants every domain to accept it."),
	PH_OPTION_NUMBER(struct delivery_config, max_alias_depth, "10", 1, 100,
		"How far aliases may lead to aliases."),
	PH_OPTION_NUMBER(struct delivery_config, max_alias_targets, "100", 1, 10000,
		"How many mailboxes one recipient may lead to."),
	PH_OPTIONS_END };

static const struct ph_delivery_service service = {
	.detail = delivery_detail,
	.resolve = delivery_resolve,
	.deliver = delivery_deliver,
};

static int delivery_init(struct ph_error *error)
{
	delivery_services.store = ph_service(PH_STORE_SERVICE);
	delivery_services.address = ph_service("address/1");
	delivery_services.mime = ph_service("mime/1");
	return delivery_aliases_open(error);
}

PH_MODULE_EXPORT;
const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "delivery",
	.summary = "Finds the mailboxes of a recipient and delivers to them.",
	.provides = (const char *const[]){ PH_DELIVERY_SERVICE, NULL },
	.services = (const void *const[]){ &service },
	.needs = (const char *const[]){ PH_STORE_SERVICE, "address/1", "mime/1", NULL },
	.options = options,
	.config = &delivery_config,
	.hooks = (struct ph_hook_point *const[]){ &delivery_begin_hook, NULL },
	.init = delivery_init,
	.stop = delivery_aliases_close,
};
