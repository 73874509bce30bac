/* Trace lines. See trace.h. */
#include <config.h>

#include "trace.h"

#include <time.h>

/* The client's name as it gave it; what could be taken for the syntax of the line becomes '?'. */
static void add_helo(struct ph_str helo, struct ph_buf *out)
{
	for (size_t i = 0; i < helo.len; i++) {
		char c = helo.data[i];
		bool fit = ph_is_alpha(c) || ph_is_digit(c) || (c != '\0' && strchr(".-_:[]", c));

		ph_buf_add_char(out, fit ? c : '?');
	}
}

static void add_ip(const char *ip, struct ph_buf *out)
{
	ph_buf_printf(out, "[%s%s]", strchr(ip, ':') ? "IPv6:" : "", ip);
}

void date_add(int64_t seconds, struct ph_buf *out)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
		"Oct", "Nov", "Dec" };
	time_t clock = (time_t)seconds;
	struct tm tm;

	gmtime_r(&clock, &tm);
	ph_buf_printf(out, "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday,
		months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void trace_add(const struct trace *trace, struct ph_buf *out)
{
	ph_buf_printf(out, "Return-Path: <%.*s>\r\nReceived: from ", PH_STR_ARGS(trace->reverse_path));
	add_helo(trace->helo, out);
	ph_buf_add_text(out, " (");
	add_ip(trace->remote_ip, out);
	ph_buf_printf(out, ")\r\n\tby %s with %s%s%s", trace->hostname, trace->protocol,
		trace->encrypted ? "S" : "", trace->logged_in ? "A" : "");
	if (trace->encrypted && trace->tls_version[0])
		ph_buf_printf(out, " (%s %s)", trace->tls_version, trace->tls_cipher);
	ph_buf_printf(out, "\r\n\tid %s", trace->id);
	if (trace->recipient.len > 0)
		ph_buf_printf(out, " for <%.*s>", PH_STR_ARGS(trace->recipient));
	ph_buf_add_text(out, "; ");
	date_add(trace->time, out);
	ph_buf_add_text(out, "\r\n");
}
