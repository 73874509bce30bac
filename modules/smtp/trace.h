/* Trace lines (RFC 5321, 4.4) and dates. Pure. */
#ifndef SMTP_TRACE_H
#define SMTP_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/buf.h>
#include <posthorn/str.h>

struct trace {
	struct ph_str reverse_path; /* without brackets; empty for the null path */
	struct ph_str helo;
	const char *remote_ip;
	const char *hostname;
	const char *protocol; /* "ESMTP", without the S and A below */
	bool encrypted, logged_in;
	const char *tls_version, *tls_cipher;
	const char *id;
	struct ph_str recipient; /* empty: not told, for there are several */
	int64_t time;
};

/* Return-Path and Received. */
void trace_add(const struct trace *trace, struct ph_buf *out);
/* "Thu, 1 Jan 1970 00:00:00 +0000" (RFC 5322, 3.3). */
void date_add(int64_t time, struct ph_buf *out);

#endif
