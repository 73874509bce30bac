/* The module `smtp`: the protocols smtp, submission and lmtp. */
#include <config.h>

#include "smtp.h"

#include <posthorn/module.h>
#include <posthorn/service.h>

#include "hooks.h"
#include "profile.h"

static const char *const sender_rules[] = { [SENDER_OWN] = "own", [SENDER_ANY] = "any", NULL };

static const struct ph_option options[] = { PH_OPTION_SIZE(struct smtp_config, max_message_size, "50M", 1024,
						    INT64_C(4) << 30, "The largest message that is taken."),
	PH_OPTION_NUMBER(struct smtp_config, max_recipients, "1000", 100, 100000,
		"Recipients of one message; further ones are asked to come with a message of their own."),
	PH_OPTION_NUMBER(struct smtp_config, max_received, "100", 10, 1000,
		"A message with more Received fields than this goes round and is refused."),
	PH_OPTION_NUMBER(struct smtp_config, max_errors, "50", 1, 1000000,
		"After so many errors of the client its connection is closed."),
	PH_OPTION_SIZE(struct smtp_config, max_line, "12K", 512, 65536, "The longest command line."),
	PH_OPTION_TIME(struct smtp_config, data_timeout, "30m", 1000, 86400000,
		"How long the text of one message may take to come in."),
	PH_OPTION_CHOICE(struct smtp_config, submission_sender, "own", sender_rules,
		"Which senders a user may give: own, the addresses that lead to the user's account; or any."),
	PH_OPTIONS_END };

static int init(struct ph_error *error)
{
	(void)error;
	smtp_services = (struct smtp_services){
		.address = ph_service("address/1"),
		.mime = ph_service("mime/1"),
		.store = ph_service(PH_STORE_SERVICE),
		.delivery = ph_service(PH_DELIVERY_SERVICE),
		.auth = ph_service(PH_AUTH_SERVICE),
	};
	counters_init();
	return 0;
}

PH_MODULE_EXPORT;
const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "smtp",
	.summary = "Takes mail by SMTP: from other servers, from users, and by LMTP.",
	.needs = (const char *const[]){ PH_STORE_SERVICE, "address/1", "mime/1", PH_DELIVERY_SERVICE,
		PH_AUTH_SERVICE, NULL },
	.options = options,
	.config = &smtp_config,
	.hooks =
		(struct ph_hook_point *const[]){ &smtp_mail_hook, &smtp_rcpt_hook, &smtp_message_hook, NULL },
	.protocols = (const struct ph_protocol *const[]){ &smtp_protocol, &submission_protocol,
		&lmtp_protocol, NULL },
	.init = init,
};
