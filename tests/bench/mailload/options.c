#include <config.h>

#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_SIZE 256

struct options options = {
	.host = "127.0.0.1",
	.connections = 1,
	.count = 100,
	.per_connection = 10,
	.size = 1024,
	.recipients = 1,
	.users = 1,
	.commands = 20,
	.batch = 1,
	.timeout = 300,
	.seed = 1,
	.user = "user%d",
	.password = "pass",
	.sender = "sender@client.test",
	.mailbox = "INBOX",
};

/* Options with a number, which may end in k or m, and the least that makes sense. */
static const struct {
	char letter;
	long *value;
	long least;
} numbers[] = {
	{ 'c', &options.connections, 1 },
	{ 'n', &options.count, 1 },
	{ 'm', &options.per_connection, 1 },
	{ 'S', &options.size, 1 },
	{ 'r', &options.recipients, 1 },
	{ 'U', &options.users, 1 },
	{ 'F', &options.first_user, 0 },
	{ 'k', &options.commands, 0 },
	{ 'B', &options.batch, 1 },
	{ 'J', &options.pushes, 0 },
};

static const struct {
	char letter;
	const char **value;
} texts[] = {
	{ 'h', &options.host },
	{ 'p', &options.port },
	{ 'u', &options.user },
	{ 'w', &options.password },
	{ 'f', &options.sender },
	{ 'b', &options.mailbox },
	{ 'x', &options.hook },
	{ 'd', &options.deliver },
	{ 'R', &options.recipient },
};

static const struct {
	char letter;
	bool *value;
} switches[] = {
	{ 's', &options.tls },
	{ 'L', &options.lmtp },
	{ 'P', &options.pipelining },
	{ 'D', &options.remove },
};

static bool read_number(const char *text, long least, long *number_r)
{
	char *end;
	long number = strtol(text, &end, 10);
	long unit = *end == 'k' ? 1024 : *end == 'm' ? 1024 * 1024 : 1;

	if (unit > 1)
		end++;
	if (end == text || *end || number < least || __builtin_mul_overflow(number, unit, number_r)) {
		fprintf(stderr, "mailload: not a number of at least %ld: %s\n", least, text);
		return false;
	}
	return true;
}

static bool add_to_script(const char *command)
{
	if (options.script_count == SCRIPT_MAX) {
		fputs("mailload: too many commands\n", stderr);
		return false;
	}
	options.script[options.script_count++] = command;
	return true;
}

static bool read_special(int letter, const char *text)
{
	long seed;

	switch (letter) {
	case 'T':
		options.timeout = strtod(text, NULL);
		return true;
	case 'z':
		if (!read_number(text, 0, &seed))
			return false;
		options.seed = (uint64_t)seed;
		return true;
	case 'e':
		return add_to_script(text);
	default:
		return false;
	}
}

static bool read_one(int letter, char *text)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (numbers[i].letter == letter)
			return read_number(text, numbers[i].least, numbers[i].value);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].letter == letter) {
			*texts[i].value = text;
			return true;
		}
	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++)
		if (switches[i].letter == letter) {
			*switches[i].value = true;
			return true;
		}
	return read_special(letter, text);
}

bool options_read(int argc, char **argv)
{
	int letter;

	while ((letter = getopt(argc, argv, "c:n:m:S:r:U:F:k:B:J:h:p:u:w:f:b:x:d:R:sLPDT:z:e:")) != -1)
		if (!read_one(letter, optarg))
			return false;
	if (optind < argc || options.recipients > RECIPIENTS_MAX) {
		fprintf(stderr, "mailload: at most %d recipients, and nothing behind the options\n",
			RECIPIENTS_MAX);
		return false;
	}
	return true;
}

const char *options_expand(const char *pattern, long number)
{
	static char name[NAME_MAX_SIZE];
	const char *place = strstr(pattern, "%d");

	if (!place)
		snprintf(name, sizeof(name), "%s", pattern);
	else
		snprintf(name, sizeof(name), "%.*s%ld%s", (int)(place - pattern), pattern, number, place + 2);
	return name;
}
