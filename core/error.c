/* Error texts and codes. */
#include <posthorn/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int ph_error_set(struct ph_error *error, int code, const char *client, const char *detail, ...)
{
	if (!error)
		return code;
	error->code = code;
	snprintf(error->client, sizeof(error->client), "%s", client);
	if (!detail) {
		snprintf(error->detail, sizeof(error->detail), "%s", client);
		return code;
	}
	va_list arguments;
	va_start(arguments, detail);
	vsnprintf(error->detail, sizeof(error->detail), detail, arguments);
	va_end(arguments);
	return code;
}

const char *ph_code_name(int code)
{
	static const char *const names[] = {
		"ok",
		"invalid",
		"absent",
		"exists",
		"denied",
		"limit",
		"quota",
		"busy",
		"timeout",
		"closed",
		"io",
		"full",
		"corrupt",
		"unavailable",
		"unsupported",
		"stale",
	};
	const int count = (int)(sizeof(names) / sizeof(names[0]));
	return code <= 0 && code > -count ? names[-code] : "unknown";
}

void ph_assert_failed(const char *expression, const char *file, int line)
{
	fprintf(stderr, "posthorn: %s:%d: assertion failed: %s\n", file, line, expression);
	abort();
}
