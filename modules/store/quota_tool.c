/* `posthorn account quota`: shows what an account's mail takes and may take, and sets its own limits. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"
#include "usage.h"

/* "none", "default", or a number, perhaps of 1024s. */
static bool parse_limit(const char *text, int64_t *limit_r)
{
	static const struct {
		const char *name;
		unsigned shift;
	} units[] = { { "", 0 }, { "K", 10 }, { "M", 20 }, { "G", 30 } };
	size_t digits = strspn(text, "0123456789");
	uint64_t number;

	*limit_r = strcmp(text, "default") == 0 ? PH_QUOTA_DEFAULT : 0;
	if (strcmp(text, "none") == 0 || *limit_r != 0)
		return true;
	if (!ph_str_number(ph_str_of(text, digits), INT64_MAX, &number))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(text + digits, units[i].name) != 0)
			continue;
		*limit_r = (int64_t)(number << units[i].shift);
		return number <= (uint64_t)INT64_MAX >> units[i].shift;
	}
	return false;
}

static void print_line(const char *what, uint64_t used, int64_t limit, int64_t own)
{
	printf("%-8s  %" PRIu64 " of ", what, used);
	if (limit == 0)
		printf("any number");
	else
		printf("%" PRId64, limit);
	printf("%s\n", own == PH_QUOTA_DEFAULT ? " (default)" : "");
}

static int show(ph_account_id id, const char *address)
{
	struct ph_error error = { 0 };
	struct ph_quota quota;

	if (account_quota(PH_ACTOR_SYSTEM, id, &quota, &error) < 0)
		return ph_tool_failed(address, &error);
	print_line("bytes", quota.bytes, quota.limits.bytes, quota.own.bytes);
	print_line("messages", quota.messages, quota.limits.messages, quota.own.messages);
	return PH_EXIT_OK;
}

static bool parse_options(int argc, char **argv, struct ph_quota_limits *limits)
{
	for (int i = 1; i < argc; i += 2) {
		int64_t *limit = strcmp(argv[i], "--bytes") == 0      ? &limits->bytes
				 : strcmp(argv[i], "--messages") == 0 ? &limits->messages
								      : NULL;

		if (!limit || i + 1 == argc || !parse_limit(argv[i + 1], limit)) {
			fprintf(stderr, "posthorn: not a limit: %s %s\n", argv[i],
				i + 1 < argc ? argv[i + 1] : "");
			return false;
		}
	}
	return true;
}

int quota_tool(int argc, char **argv)
{
	struct ph_error error = { 0 };
	struct ph_quota quota;
	ph_account_id id;
	int status;

	if (argc < 1) {
		fputs("posthorn: give an address\n", stderr);
		return PH_EXIT_USAGE;
	}
	status = tool_find_account(argv[0], &id);
	if (status != PH_EXIT_OK)
		return status;
	if (account_quota(PH_ACTOR_SYSTEM, id, &quota, &error) < 0)
		return ph_tool_failed(argv[0], &error);
	if (!parse_options(argc, argv, &quota.own))
		return PH_EXIT_USAGE;
	if (argc > 1 && account_set_quota(PH_ACTOR_SYSTEM, id, &quota.own, &error) < 0)
		return ph_tool_failed(argv[0], &error);
	return show(id, argv[0]);
}
