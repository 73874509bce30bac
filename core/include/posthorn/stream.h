/* Connections that this program opens itself, to another server: in plaintext, or with TLS and the server's
 * certificate verified. They are used from a fiber, from top to bottom; whoever opened one closes it.
 *
 * One deadline, which the user moves on as he goes, bounds all that may park. After a failure a stream can
 * only be closed. */
#ifndef POSTHORN_STREAM_H
#define POSTHORN_STREAM_H

#include <stdint.h>

#include <posthorn/conn.h>
#include <posthorn/error.h>
#include <posthorn/fiber.h>
#include <posthorn/str.h>

/* Whose certificates are believed. */
struct ph_trust;

/* The authorities in a file (PEM), which may also hold the very certificate of a server; NULL: those that the
 * system trusts. To be used for any number of streams, and to be freed after them. NULL, with *error, when
 * there are none. */
struct ph_trust *ph_trust_new(const char *file, struct ph_error *error);
/* Clears the pointer; NULL is allowed. */
void ph_trust_free(struct ph_trust **trust);

struct ph_stream;

/* May park: finds the host, a name or a numeric address, and tries its addresses one after the other until
 * the deadline. Asking for the name may take longer than that: as long as the system's resolver is set to.
 * NULL, with *error: PH_E_ABSENT (there is no such host), PH_E_TIMEOUT, PH_E_CLOSED (nobody answers there),
 * PH_E_IO, PH_E_LIMIT. */
struct ph_stream *ph_stream_open(const char *host, uint16_t port, ph_msec deadline, struct ph_error *error);
/* Does not park; clears the pointer; NULL is allowed. */
void ph_stream_close(struct ph_stream **stream);

/* May park: from here on all is encrypted; the certificate must be one for `host` (RFC 9525), which is also
 * sent as the name that is wanted (SNI), unless it is a numeric address. PH_E_DENIED: the certificate is not
 * trusted, or is another's. PH_E_INVALID: no TLS is spoken there, or something came in before it, which was
 * not encrypted and may be anybody's. */
int ph_stream_start_tls(
	struct ph_stream *stream, const struct ph_trust *trust, const char *host, struct ph_error *error);

/* Ends all reads and writes then (as ph_now() counts), with PH_E_TIMEOUT. */
void ph_stream_set_deadline(struct ph_stream *stream, ph_msec deadline);
/* May park. 1, 0 at the end of input, PH_E_LIMIT for a line of more than `max` bytes (at most 64 KB less its
 * end), or another negative code. The text is valid until the next read. */
int ph_stream_read_line(struct ph_stream *stream, size_t max, struct ph_line *line_r);
/* May park. Takes what is there, at least one byte and at most `most`; 1, 0 at the end of input, or a
 * negative code. The bytes are valid until the next read. */
int ph_stream_read(struct ph_stream *stream, size_t most, struct ph_str *bytes_r);
/* May park, until all bytes are written. 0, or a negative code. */
int ph_stream_write(struct ph_stream *stream, struct ph_str bytes);

#endif
