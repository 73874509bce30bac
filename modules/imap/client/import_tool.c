/* `posthorn import imap`: the command line, the password, and the order of things. */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/tool.h>

#include "import.h"

const struct ph_import_service *importer;

enum { PASSWORD_MAX = 1024, SKIPPED_MAX = 100, HOST_MAX = 255, USER_MAX = 100 };

struct options {
	struct client_login login;
	char host[HOST_MAX + 1];
	char password[PASSWORD_MAX + 1];
	const char *password_file;
	const char *address;
	const char *skipped[SKIPPED_MAX];
	size_t skipped_count;
};

/* --- the command line --- */

static int misused(const char *what, const char *which)
{
	fprintf(stderr, "posthorn: %s%s\n", what, which);
	return PH_EXIT_USAGE;
}

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT". */
static bool parse_server(const char *text, struct options *options)
{
	struct ph_str rest = ph_str(text), host;
	bool bracketed = ph_str_starts(rest, PH_STR("["));
	uint64_t port = 0;
	ptrdiff_t end;

	if (bracketed)
		rest = ph_str_slice(rest, 1, rest.len);
	end = ph_str_find(rest, bracketed ? ']' : ':');
	host = ph_str_slice(rest, 0, end < 0 ? rest.len : (size_t)end);
	rest = ph_str_slice(rest, host.len + bracketed, rest.len);
	if ((bracketed && end < 0) || host.len == 0 || host.len > HOST_MAX)
		return false;
	if (rest.len > 0 &&
		(rest.data[0] != ':' || !ph_str_number(ph_str_slice(rest, 1, rest.len), UINT16_MAX, &port) ||
			port == 0))
		return false;
	memcpy(options->host, host.data, host.len);
	options->login.host = options->host;
	options->login.port = (uint16_t)port;
	return true;
}

static bool parse_tls(const char *text, struct options *options)
{
	static const char *const names[] = { "implicit", "starttls", "none" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		options->login.tls = (enum client_tls)i;
		return true;
	}
	return false;
}

static int parse_option(const char *name, const char *value, struct options *options, bool *tls_said)
{
	if (strcmp(name, "--user") == 0) {
		options->login.user = value;
	} else if (strcmp(name, "--master") == 0) {
		options->login.master = value;
	} else if (strcmp(name, "--password-file") == 0) {
		options->password_file = value;
	} else if (strcmp(name, "--ca") == 0) {
		options->login.authorities = value;
	} else if (strcmp(name, "--tls") == 0) {
		*tls_said = true;
		return parse_tls(value, options)
			       ? 0
			       : misused("--tls is implicit, starttls or none, not ", value);
	} else if (strcmp(name, "--skip") == 0) {
		if (options->skipped_count == SKIPPED_MAX)
			return misused("too many mailboxes to skip", "");
		options->skipped[options->skipped_count++] = value;
	} else {
		return misused("unknown option ", name);
	}
	return 0;
}

static int parse_arguments(int argc, char **argv, struct options *options)
{
	const char *words[2] = { NULL, NULL };
	size_t count = 0;
	bool tls_said = false;

	for (int i = 0; i < argc; i++) {
		int status = 0;

		if (strncmp(argv[i], "--", 2) == 0 && i + 1 == argc)
			return misused("a value is missing behind ", argv[i]);
		if (strncmp(argv[i], "--", 2) == 0) {
			status = parse_option(argv[i], argv[i + 1], options, &tls_said);
			i++;
		} else if (count < 2) {
			words[count++] = argv[i];
		} else {
			status = misused("give a server and an address, and not also ", argv[i]);
		}
		if (status != 0)
			return status;
	}
	if (count < 2)
		return misused("give a server and an address", "");
	if (!parse_server(words[0], options))
		return misused("no server can be ", words[0]);
	options->address = words[1];
	if (!options->login.user)
		options->login.user = options->address;
	if (strlen(options->login.user) > USER_MAX)
		return misused("the name of the user is too long", "");
	if (!tls_said)
		options->login.tls = options->login.port == 143 ? CLIENT_TLS_STARTTLS : CLIENT_TLS_IMPLICIT;
	if (options->login.port == 0)
		options->login.port = options->login.tls == CLIENT_TLS_IMPLICIT ? 993 : 143;
	return 0;
}

/* --- the password: from a file, the environment, or whoever sits there; never from the command line --- */

static bool read_password_file(const char *path, char *password_r)
{
	FILE *file = fopen(path, "re");
	const char *why = NULL;

	if (!file)
		why = strerror(errno);
	else if (!fgets(password_r, PASSWORD_MAX + 1, file))
		why = ferror(file) ? strerror(errno) : "it is empty";
	else if (!strchr(password_r, '\n') && !feof(file))
		why = "its first line is too long";
	if (file)
		fclose(file);
	if (why)
		fprintf(stderr, "posthorn: %s: %s\n", path, why);
	else
		password_r[strcspn(password_r, "\r\n")] = '\0';
	return !why;
}

static bool read_password(struct options *options)
{
	const char *given = getenv("POSTHORN_IMPORT_PASSWORD");

	options->login.password = options->password;
	if (options->password_file)
		return read_password_file(options->password_file, options->password);
	if (!given)
		return ph_tool_read_secret("Password there", false, options->password, PASSWORD_MAX + 1);
	snprintf(options->password, sizeof(options->password), "%s", given);
	return true;
}

/* --- taking it over --- */

static bool is_skipped(const struct options *options, struct ph_str name)
{
	for (size_t i = 0; i < options->skipped_count; i++) {
		struct ph_str skipped = ph_str(options->skipped[i]);

		if (ph_str_eq(name, skipped) ||
			(ph_str_starts(name, skipped) && name.data[skipped.len] == '/'))
			return true;
	}
	return false;
}

static int take_mailboxes(struct client *client, struct ph_import *import, const struct options *options,
	const struct import_mailboxes *mailboxes, struct ph_error *error)
{
	char server[HOST_MAX + USER_MAX + 2];
	int result = 0;

	snprintf(server, sizeof(server), "%s@%s", options->login.user, options->login.host);
	for (size_t i = 0; i < mailboxes->count && result == 0; i++) {
		const struct import_mailbox *mailbox = &mailboxes->items[i];

		if (is_skipped(options, mailbox->name))
			importer->complain(mailbox->name, "the mailbox", "is skipped, as --skip says");
		else if (mailbox->special_use & PH_USE_FLAGGED)
			importer->complain(mailbox->name, "the mailbox",
				"is skipped: it shows the flagged messages of the others");
		else
			result = import_messages(client, import, mailbox, server, error);
	}
	for (size_t i = 0; i < mailboxes->subscription_count && result == 0; i++) {
		if (!is_skipped(options, mailboxes->subscriptions[i]))
			importer->subscribe(import, mailboxes->subscriptions[i]);
	}
	return result;
}

static int take_account(struct ph_import *import, void *arg, struct ph_error *error)
{
	const struct options *options = arg;
	struct import_mailboxes mailboxes = { 0 };
	struct client client;
	int result = client_login(&client, &options->login, error);

	if (result == 0) {
		result = import_list(&client, import, &mailboxes, error);
		if (result == 0)
			result = take_mailboxes(&client, import, options, &mailboxes, error);
		if (result == 0)
			client_logout(&client);
		import_list_free(&mailboxes);
	}
	client_free(&client);
	return result;
}

static int import_imap(int argc, char **argv)
{
	struct options options = { 0 };
	int status = parse_arguments(argc, argv, &options);

	if (status == 0)
		status = read_password(&options) ? importer->run(options.address, take_account, &options)
						 : PH_EXIT_FAILED;
	ph_wipe(options.password, sizeof(options.password));
	return status;
}

const struct ph_tool imap_tools[] = {
	{ "import imap", "HOST[:PORT] ADDRESS [OPTION VALUE ...]",
		"Takes over the mailboxes of an account on another server, by IMAP.\n"
		"UIDs, flags, dates, special uses and subscriptions are kept as of import maildir, and it "
		"may be\n"
		"run again as well. Nothing is changed there. Options:\n"
		"  --user NAME           who to be there; without it, ADDRESS\n"
		"  --master NAME         whose password it is, if he may log in as others (AUTHENTICATE "
		"PLAIN)\n"
		"  --password-file FILE  the password is its first line; else it is in the environment as\n"
		"                        POSTHORN_IMPORT_PASSWORD, or asked for, or read from stdin\n"
		"  --tls HOW             implicit (port 993), starttls (port 143), or none: everything, the\n"
		"                        password too, can then be read on the way\n"
		"  --ca FILE             believe these certificates (PEM), not those that the system trusts\n"
		"  --skip MAILBOX        leave it out, and those below it; may be given several times",
		import_imap },
	{ 0 },
};
