/* The module imap: its options and its descriptor. */
#include <posthorn/module.h>
#include <posthorn/service.h>

#include "client/import.h"
#include "session.h"

static const struct ph_option options[] = {
	PH_OPTION_SIZE(struct imap_config, max_line, "32K", 1024, 60000, "The longest line of a command."),
	PH_OPTION_SIZE(struct imap_config, max_literal, "32K", 1024, 1048576,
		"The largest literal that is an argument of a command; the message of an APPEND has its own "
		"limit."),
	PH_OPTION_SIZE(struct imap_config, max_command, "128K", 4096, 4194304,
		"The largest command: its lines and the literals in its arguments together."),
	PH_OPTION_SIZE(struct imap_config, max_message, "50M", 1024, 4294967295,
		"The largest message that APPEND takes."),
	PH_OPTION_SIZE(struct imap_config, max_memory, "32M", 1048576, 1073741824,
		"The most memory that one command may take while it runs."),
	PH_OPTION_NUMBER(struct imap_config, max_bad, "20", 1, 1000000,
		"A client that sends so many invalid commands in a row is disconnected."),
	PH_OPTION_TIME(struct imap_config, command_timeout, "2m", 1000, 3600000,
		"How long a client may take to send one command; more for a message, by its size."),
	PH_OPTION_TIME(struct imap_config, idle_timeout, "31m", 1000, 604800000,
		"How long a logged-in client may be silent; RFC 3501 asks for 30 minutes or more."),
	PH_OPTIONS_END,
};

static int init(struct ph_error *error)
{
	(void)error;
	store = ph_service(PH_STORE_SERVICE);
	auth = ph_service(PH_AUTH_SERVICE);
	mime = ph_service(PH_MIME_SERVICE);
	importer = ph_service(PH_IMPORT_SERVICE);
	imap_metrics_register();
	return 0;
}

const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "imap",
	.summary = "IMAP4rev1: mail programs read, search and sort the mail that is kept here.",
	.needs = (const char *const[]){ PH_STORE_SERVICE, PH_AUTH_SERVICE, PH_MIME_SERVICE, PH_IMPORT_SERVICE,
		NULL },
	.options = options,
	.config = &imap_config,
	.hooks = imap_hooks,
	.tools = imap_tools,
	.protocols = (const struct ph_protocol *const[]){ &imap_protocol, NULL },
	.init = init,
	.stop = turn_pools_free,
};
