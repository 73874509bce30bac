/* `posthorn store check` and `posthorn store repair`. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../tool.h"
#include "check_tool.h"

void check_tell(struct check *check, const struct fault *fault)
{
	ph_progress_hide();
	printf("%.*s", PH_STR_ARGS(check->address));
	if (check->mailbox.len > 0)
		printf("\t%.*s", PH_STR_ARGS(check->mailbox));
	if (fault->uid != 0)
		printf("\tUID %u", (unsigned)fault->uid);
	printf("\t%s%s\n", fault->text, fault->repaired ? " (repaired)" : "");
	fflush(stdout);
}

static bool parse(int argc, char **argv, struct check *check, const char **address_r)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--quick") == 0) {
			check->quick = true;
		} else if (argv[i][0] == '-' || *address_r) {
			fprintf(stderr, "posthorn: unexpected: %s\n", argv[i]);
			return false;
		} else {
			*address_r = argv[i];
		}
	}
	return true;
}

static int run(int argc, char **argv, bool repair)
{
	struct check check = { .repair = repair, .tell = check_tell };
	struct ph_error error = { 0 };
	const char *address = NULL;
	ph_account_id id = 0;
	int result, status;

	if (!parse(argc, argv, &check, &address))
		return PH_EXIT_USAGE;
	status = address ? tool_find_account(address, &id) : PH_EXIT_OK;
	if (status != PH_EXIT_OK)
		return status;
	ph_progress_begin("messages");
	result = check_store(&check, id, &error);
	ph_progress_hide();
	if (result < 0)
		return ph_tool_failed("store", &error);
	printf("%" PRIu64 " messages, %" PRIu64 " faults, %" PRIu64 " repaired\n", check.messages,
		check.faults, check.repaired);
	return check.faults == check.repaired ? PH_EXIT_OK : PH_EXIT_FAILED;
}

int check_tool(int argc, char **argv)
{
	return run(argc, argv, false);
}

int repair_tool(int argc, char **argv)
{
	return run(argc, argv, true);
}
