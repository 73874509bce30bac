/* `posthorn demo`: a server to try things out. Everything lies in one folder: the configuration, a key, the
 * data. What is there already is used again.
 *
 * The configuration and what is said about it come from the templates demo.lua and demo.txt. In them, @DATA@
 * stands for the folder, @CONFIG@ for the configuration's file, @SCRIPTS@, @MODULES@ and @PROGRAM@ for where
 * these lie,
 * @PORT:25@ for 25 plus the port base, and @PASSWORD:alice@ for that account's password. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "master.h"
#include "paths.h"

enum { TEMPLATE_MAX = 1 << 20, PORT_BASE_DEFAULT = 2000 };

static const struct {
	const char *name;
	const char *password;
} accounts[] = { { "alice", "wonderland" }, { "bob", "builder" } };
static const char account_domain[] = "demo.test";

static struct {
	char data[PATH_MAX]; /* absolute */
	char config_file[PATH_MAX];
	unsigned port_base;
} demo;

/* --- Files --- */

static bool path_in_data(char *path_r, const char *name)
{
	return snprintf(path_r, PATH_MAX, "%s/%s", demo.data, name) < PATH_MAX;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static bool fail(const char *path)
{
	fprintf(stderr, "posthorn demo: %s: %s\n", path, strerror(errno));
	return false;
}

static bool read_file(const char *path, struct ph_buf *text)
{
	FILE *file = fopen(path, "re");
	char *room;

	if (!file)
		return false;
	while ((room = ph_buf_reserve(text, 4096))) {
		size_t len = fread(room, 1, 4096, file);

		if (len == 0)
			break;
		ph_buf_added(text, len);
	}
	fclose(file);
	return !text->failed;
}

static bool write_file(const char *path, mode_t mode, struct ph_str text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	bool good = fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len;

	if (fd >= 0)
		good = close(fd) == 0 && good;
	return good || fail(path);
}

/* --- Templates --- */

static bool fill_port(struct ph_str argument, struct ph_buf *out)
{
	uint64_t port;

	return ph_str_number(argument, 65535 - demo.port_base, &port) &&
	       ph_buf_printf(out, "%" PRIu64, port + demo.port_base);
}

static bool fill_password(struct ph_str name, struct ph_buf *out)
{
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
		if (ph_str_eq(name, ph_str(accounts[i].name)))
			return ph_buf_add_text(out, accounts[i].password);
	}
	return false;
}

/* Writes what the word between two @ stands for; false when it is none of ours. */
static bool fill_word(struct ph_str word, struct ph_buf *out)
{
	if (ph_str_starts(word, PH_STR("PORT:")))
		return fill_port(ph_str_slice(word, 5, word.len), out);
	if (ph_str_starts(word, PH_STR("PASSWORD:")))
		return fill_password(ph_str_slice(word, 9, word.len), out);
	if (ph_str_eq(word, PH_STR("DATA")))
		return ph_buf_add_text(out, demo.data);
	if (ph_str_eq(word, PH_STR("CONFIG")))
		return ph_buf_add_text(out, demo.config_file);
	if (ph_str_eq(word, PH_STR("SCRIPTS")))
		return ph_buf_add_text(out, paths_scripts());
	if (ph_str_eq(word, PH_STR("MODULES")))
		return ph_buf_add_text(out, paths_modules());
	if (ph_str_eq(word, PH_STR("PROGRAM")))
		return ph_buf_add_text(out, paths_program());
	return false;
}

/* Addresses hold an @, too: what stands for nothing stays as it is. */
static void fill_template(struct ph_str template, struct ph_buf *out)
{
	while (template.len > 0) {
		ptrdiff_t at = ph_str_find(template, '@'), end;
		struct ph_str rest;

		if (at < 0)
			break;
		ph_buf_add(out, template.data, (size_t)at);
		rest = ph_str_slice(template, (size_t)at + 1, template.len);
		end = ph_str_find(rest, '@');
		if (end > 0 && fill_word(ph_str_slice(rest, 0, (size_t)end), out)) {
			template = ph_str_slice(rest, (size_t)end + 1, rest.len);
		} else {
			ph_buf_add_char(out, '@');
			template = rest;
		}
	}
	ph_buf_add_str(out, template);
}

static bool make_from_template(const char *name, struct ph_buf *out)
{
	char path[PATH_MAX];
	struct ph_buf template;
	bool good;

	ph_buf_init(&template, TEMPLATE_MAX);
	snprintf(path, sizeof(path), "%s/%s", paths_templates(), name);
	good = read_file(path, &template);
	if (good)
		fill_template(ph_buf_str(&template), out);
	else
		fail(path);
	ph_buf_free(&template);
	return good;
}

/* --- Preparing --- */

/* The first line tells what the file was made from. An unchanged template leaves the file, and what was
 * changed in it by hand, alone; a changed one, or another port base, replaces it and keeps the old one. */
static bool make_config(void)
{
	struct ph_buf made, head, found;
	char old[PATH_MAX + 8];
	bool good;

	ph_buf_init(&made, TEMPLATE_MAX);
	ph_buf_init(&found, TEMPLATE_MAX);
	ph_buf_init(&head, TEMPLATE_MAX + 256);
	good = make_from_template("demo.lua", &made);
	ph_buf_printf(&head, "-- Made by `posthorn demo`; may be changed. Template %016" PRIx64 "\n",
		ph_str_case_hash(ph_buf_str(&made)));
	if (good && !(read_file(demo.config_file, &found) &&
			    ph_str_starts(ph_buf_str(&found), ph_buf_str(&head)))) {
		snprintf(old, sizeof(old), "%s.old", demo.config_file);
		if (found.len > 0)
			rename(demo.config_file, old);
		ph_buf_add_str(&head, ph_buf_str(&made));
		good = write_file(demo.config_file, 0644, ph_buf_str(&head));
	}
	ph_buf_free(&made);
	ph_buf_free(&found);
	ph_buf_free(&head);
	return good;
}

static bool make_certificate(void)
{
	char certificate[PATH_MAX], key[PATH_MAX];
	struct ph_error error = { 0 };

	if (!path_in_data(certificate, "demo.crt") || !path_in_data(key, "demo.key"))
		return false;
	if (exists(certificate) && exists(key))
		return true;
	if (tls_make_self_signed(certificate, key, account_domain, &error) == 0)
		return true;
	fprintf(stderr, "posthorn demo: %s\n", error.detail);
	return false;
}

/* In the child: stdin gives the password, stdout is not wanted. */
static void become_account_add(const char *address, int password_fd)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(password_fd, STDIN_FILENO);
	if (nowhere >= 0)
		dup2(nowhere, STDOUT_FILENO);
	execl(paths_program(), "posthorn", "-c", demo.config_file, "account", "add", address, (char *)NULL);
	_exit(PH_EXIT_FAILED);
}

/* As an administrator would. */
static bool add_account(const char *name, const char *password)
{
	char address[256];
	int fds[2], status = 0;
	pid_t pid;

	snprintf(address, sizeof(address), "%s@%s", name, account_domain);
	if (pipe2(fds, O_CLOEXEC) != 0)
		return fail(address);
	pid = fork();
	if (pid == 0)
		become_account_add(address, fds[0]);
	close(fds[0]);
	dprintf(fds[1], "%s\n", password);
	close(fds[1]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return fail(address);
	if (WIFEXITED(status) && (WEXITSTATUS(status) == PH_EXIT_OK || WEXITSTATUS(status) == PH_EXIT_EXISTS))
		return true;
	fprintf(stderr, "posthorn demo: cannot add %s\n", address);
	return false;
}

/* The list of them is also the mark that they were made. */
static bool make_accounts(void)
{
	char path[PATH_MAX];
	struct ph_buf list;
	bool good = path_in_data(path, "accounts.txt");

	if (good && exists(path))
		return true;
	ph_buf_init(&list, 4096);
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]) && good; i++) {
		good = add_account(accounts[i].name, accounts[i].password);
		ph_buf_printf(&list, "%s@%s %s\n", accounts[i].name, account_domain, accounts[i].password);
	}
	good = good && write_file(path, 0600, ph_buf_str(&list));
	ph_buf_free(&list);
	return good;
}

/* As root, workers are somebody else: may they pass through all folders above, and into the last one? */
static bool others_may_pass(const char *path)
{
	char above[PATH_MAX];
	struct stat st;
	size_t len = (size_t)snprintf(above, sizeof(above), "%s", path);

	while (len > 0 && len < sizeof(above)) {
		above[len] = '\0';
		if (stat(above, &st) == 0 && !(st.st_mode & S_IXOTH)) {
			fprintf(stderr,
				"posthorn demo: started as root, it serves as another user, who may not "
				"enter %s.\n"
				"Start it as an ordinary user, or %s.\n",
				above,
				path == demo.data ? "choose another folder: DATA=/var/tmp/posthorn-demo"
						  : "move the tree");
			return false;
		}
		while (len > 0 && above[--len] != '/') {
		}
	}
	return true;
}

static bool prepare(void)
{
	if (geteuid() == 0 && !(others_may_pass(demo.data) && others_may_pass(paths_scripts())))
		return false;
	return make_certificate() && make_config() && make_accounts();
}

/* --- What it says --- */

static void print_listeners(const struct config *config)
{
	static const char *const tls[] = { "no TLS", "STARTTLS", "TLS" };

	printf("\nListening:\n");
	for (size_t i = 0; i < config->listeners.count; i++) {
		const struct listener_config *listener = config_listener(config, i);

		printf("  %-22s %-12s %-9s %s\n", listener->address,
			listener->name[0] ? listener->name : listener->protocol, tls[listener->tls],
			listener->left_out ? "Left out: another program has this port."
					   : listener->speaks->summary);
	}
}

static void print_accounts(void)
{
	printf("\nAccounts:\n");
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++)
		printf("  %s@%s  password %s\n", accounts[i].name, account_domain, accounts[i].password);
}

static void print_banner(const struct config *config)
{
	struct ph_buf text;

	ph_buf_init(&text, TEMPLATE_MAX);
	print_listeners(config);
	print_accounts();
	if (make_from_template("demo.txt", &text))
		printf("\n%.*s", PH_STR_ARGS(ph_buf_str(&text)));
	printf("ready\n");
	fflush(stdout);
	ph_buf_free(&text);
}

/* --- The command --- */

static bool take_port_base(const struct cli *cli)
{
	const char *given = cli->values[1] ? cli->values[1] : getenv("PORT_BASE");
	uint64_t base = PORT_BASE_DEFAULT;

	if (given && *given && !ph_str_number(ph_str(given), 64000, &base)) {
		fprintf(stderr, "posthorn demo: '%s' is no port base (0 to 64000)\n", given);
		return false;
	}
	demo.port_base = (unsigned)base;
	return true;
}

static bool take_data(const struct cli *cli)
{
	const char *given = cli->values[0] ? cli->values[0] : getenv("DATA");

	if (!given || !*given)
		given = "demo-data";
	if (mkdir(given, 0755) != 0 && errno != EEXIST)
		return fail(given);
	if (!realpath(given, demo.data))
		return fail(given);
	return path_in_data(demo.config_file, "posthorn.lua");
}

int cli_demo(const struct cli *cli)
{
	const struct master_options options = { .config_file = demo.config_file, .ready = print_banner };

	if (!take_port_base(cli))
		return PH_EXIT_USAGE;
	if (!take_data(cli) || !prepare())
		return PH_EXIT_FAILED;
	return master_run(&options);
}
