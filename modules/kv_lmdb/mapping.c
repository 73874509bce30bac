/* What is left to do on SIGBUS. See mapping.h. */
#include <config.h>

#include "mapping.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static const char *state_path;
static struct sigaction former;

/* Only what is safe in a handler of signals. */
static void take_leave(int number)
{
	static const char text[] =
		"level=error msg=\"the disk failed below the index, which will be made anew\"\n";
	ssize_t written;

	(void)unlink(state_path);
	written = write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)written;
	(void)sigaction(number, &former, NULL);
	(void)raise(number);
}

void mapping_guard(const char *state)
{
	struct sigaction action = { .sa_handler = take_leave };

	state_path = state;
	sigemptyset(&action.sa_mask);
	(void)sigaction(SIGBUS, &action, &former);
}

void mapping_end_guard(void)
{
	(void)sigaction(SIGBUS, &former, NULL);
}
