/* Error codes and texts.
 *
 * Functions return 0 or a negative code. The code tells who can act. Where a text is worth having, the last
 * argument is a struct ph_error: `client` is safe to show to a peer, `detail` is for the log. */
#ifndef POSTHORN_ERROR_H
#define POSTHORN_ERROR_H

enum ph_code {
	PH_OK = 0,
	PH_E_INVALID = -1,      /* the input breaks a rule: the client must change it */
	PH_E_ABSENT = -2,       /* no such thing (or none that may be seen) */
	PH_E_EXISTS = -3,       /* there is one already */
	PH_E_DENIED = -4,       /* not permitted */
	PH_E_LIMIT = -5,        /* a configured bound would be passed */
	PH_E_QUOTA = -6,        /* the account's space is used up */
	PH_E_BUSY = -7,         /* in use by somebody else: again later */
	PH_E_TIMEOUT = -8,      /* a deadline passed */
	PH_E_CLOSED = -9,       /* the peer or the connection is gone */
	PH_E_IO = -10,          /* disk or system call failed: the administrator must look */
	PH_E_FULL = -11,        /* no space on the disk: again later */
	PH_E_CORRUPT = -12,     /* stored data does not read back */
	PH_E_UNAVAILABLE = -13, /* a part this needs is not there now: again later */
	PH_E_UNSUPPORTED = -14, /* not built or not configured */
	PH_E_STALE = -15,       /* somebody was faster: read again */
};

struct ph_error {
	int code;
	char client[256];
	char detail[512];
};

/* Fills *error (which may be NULL) and returns `code`. `client` is copied as it is; `detail` is formatted;
 * NULL for detail repeats the client's text. */
int ph_error_set(struct ph_error *error, int code, const char *client, const char *detail, ...)
	__attribute__((format(printf, 4, 5)));
/* A short name such as "absent", for logs. */
const char *ph_code_name(int code);

/* For what can never happen whatever a peer sends: logs file, line and expression, and aborts. Wire input
 * never reaches one. */
#define PH_ASSERT(expression) ((expression) ? (void)0 : ph_assert_failed(#expression, __FILE__, __LINE__))
void ph_assert_failed(const char *expression, const char *file, int line) __attribute__((noreturn));

#endif
