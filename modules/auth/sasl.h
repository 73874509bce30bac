/* SASL mechanisms that carry a password: PLAIN (RFC 4616) and LOGIN (which two clients and their many users
 * still need; never made a standard). Parsing is pure; the exchange goes through the protocol's carrier. */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include <posthorn/auth.h>

enum {
	/* RFC 4616 asks for at least 255. */
	SASL_USER_MAX = 320,
	/* What crypt(3) takes, without its NUL. */
	SASL_PASSWORD_MAX = 511,
	SASL_MESSAGE_MAX = 2 * SASL_USER_MAX + SASL_PASSWORD_MAX + 2,
};

/* What a client sent. The strings point into `bytes`; wipe the struct when done with it. */
struct sasl_answer {
	struct ph_str authorize; /* on whose behalf; empty: the user's own */
	struct ph_str user;
	struct ph_str password;
	char bytes[SASL_MESSAGE_MAX];
};

struct sasl_mechanism {
	const char *name;
	/* May park. Holds the exchange and fills *answer_r. 0, PH_E_INVALID, or the connection's error. */
	int (*exchange)(struct ph_str initial, const struct ph_sasl_carrier *carrier,
		struct sasl_answer *answer_r, struct ph_error *error);
};

/* The mechanism of that name, whatever its case, or NULL. */
const struct sasl_mechanism *sasl_mechanism(struct ph_str name);
/* All names, parted by spaces. */
const char *sasl_mechanisms(void);

/* Finds the three parts of a PLAIN message of `len` bytes, which lie in answer->bytes. False when malformed.
 */
bool sasl_parse_plain(struct sasl_answer *answer, size_t len);

#endif
