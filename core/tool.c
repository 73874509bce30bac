/* What the commands of modules share. */
#include <config.h>

#include <posthorn/tool.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <posthorn/mem.h>
#include <posthorn/str.h>

/* --- A secret, so that it is neither seen on a screen nor in a list of processes --- */

/* One line without its end; false at the end of input, or when it does not fit. */
static bool read_line(int fd, char *line_r, size_t size)
{
	size_t len = 0;
	char c = '\0';

	while (read(fd, &c, 1) == 1 && c != '\n') {
		if (len + 1 >= size) {
			fprintf(stderr, "posthorn: longer than %zu bytes\n", size - 1);
			return false;
		}
		line_r[len++] = c;
	}
	if (len > 0 && line_r[len - 1] == '\r')
		len--;
	line_r[len] = '\0';
	if (len == 0)
		fprintf(stderr, "posthorn: nothing was given\n");
	return len > 0;
}

static bool ask(int fd, const char *prompt, const char *again, char *secret_r, size_t size)
{
	bool good;

	dprintf(fd, "%s%s: ", prompt, again);
	good = read_line(fd, secret_r, size);
	dprintf(fd, "\n");
	return good;
}

static bool ask_twice(int fd, const char *prompt, char *secret_r, size_t size)
{
	char again[1024];
	bool good = ask(fd, prompt, "", secret_r, size) && ask(fd, prompt, " (again)", again, sizeof(again));

	if (good && !ph_str_eq_secret(ph_str(secret_r), ph_str(again))) {
		fprintf(stderr, "posthorn: the two differ\n");
		good = false;
	}
	ph_wipe(again, sizeof(again));
	return good;
}

static bool ask_unseen(int fd, const char *prompt, bool twice, char *secret_r, size_t size)
{
	struct termios before, unseen;
	bool good;

	if (tcgetattr(fd, &before) != 0)
		return false;
	unseen = before;
	unseen.c_lflag &= (tcflag_t)~ECHO;
	tcsetattr(fd, TCSAFLUSH, &unseen);
	good = twice ? ask_twice(fd, prompt, secret_r, size) : ask(fd, prompt, "", secret_r, size);
	tcsetattr(fd, TCSAFLUSH, &before);
	return good;
}

bool ph_tool_read_secret(const char *prompt, bool twice, char *secret_r, size_t size)
{
	int fd;
	bool good;

	if (!isatty(STDIN_FILENO))
		return read_line(STDIN_FILENO, secret_r, size);
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		fprintf(stderr, "posthorn: there is no terminal to ask on\n");
		return false;
	}
	good = ask_unseen(fd, prompt, twice, secret_r, size);
	close(fd);
	return good;
}

/* --- What is told --- */

const char *ph_tool_bytes(uint64_t bytes, char text_r[PH_TOOL_BYTES])
{
	static const char *const units[] = { "bytes", "KB", "MB", "GB", "TB" };
	double number = (double)bytes;
	size_t i = 0;

	for (; number >= 1024 && i + 1 < sizeof(units) / sizeof(*units); i++)
		number /= 1024;
	snprintf(text_r, PH_TOOL_BYTES, "%.*f %s", i == 0 ? 0 : 1, number, units[i]);
	return text_r;
}

int ph_tool_failed(const char *what, const struct ph_error *error)
{
	fprintf(stderr, "posthorn: %s: %s\n", what, error->detail[0] ? error->detail : error->client);
	switch (error->code) {
	case PH_E_ABSENT:
		return PH_EXIT_ABSENT;
	case PH_E_EXISTS:
		return PH_EXIT_EXISTS;
	default:
		return PH_EXIT_FAILED;
	}
}
