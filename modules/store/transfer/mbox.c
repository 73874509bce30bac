/* The lines of mbox files. */
#include <config.h>

#include "mbox.h"

#include <string.h>
#include <time.h>

bool mbox_from_line(struct ph_str line, int64_t *date_r)
{
	char text[512];
	size_t len = line.len < sizeof(text) - 1 ? line.len : sizeof(text) - 1;

	if (!ph_str_starts(line, PH_STR("From ")))
		return false;
	memcpy(text, line.data, len);
	text[len] = '\0';
	for (const char *at = strchr(text, ' '); at; at = strchr(at + 1, ' ')) {
		struct tm broken = { 0 };

		if (!strptime(at, " %a %b %d %H:%M:%S %Y", &broken))
			continue;
		*date_r = timegm(&broken);
		return true;
	}
	return false;
}

bool mbox_is_from(struct ph_str line)
{
	size_t at = 0;

	while (at < line.len && line.data[at] == '>')
		at++;
	return ph_str_starts(ph_str_slice(line, at, line.len), PH_STR("From "));
}
