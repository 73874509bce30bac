/* The service "auth/1": who is it? SASL mechanisms (RFC 4422) and plain passwords, checked against the
 * accounts, after the hook `auth.verify` had its say. */
#ifndef POSTHORN_AUTH_H
#define POSTHORN_AUTH_H

#include <posthorn/conn.h>
#include <posthorn/error.h>
#include <posthorn/store.h>
#include <posthorn/str.h>

#define PH_AUTH_SERVICE "auth/1"

struct ph_login {
	struct ph_actor actor;
	struct ph_str user; /* the account's address; in the pool */
};

/* How a protocol carries a SASL exchange. Sends a challenge (base64 already; empty for none) and reads the
 * client's answer (base64, without line end), which stays valid until the next call. May park. 0;
 * PH_E_INVALID when the client cancelled ("*"); PH_E_LIMIT when the line was too long; or the connection's
 * error. */
struct ph_sasl_carrier {
	int (*challenge)(void *arg, struct ph_str challenge, struct ph_str *response_r);
	void *arg;
};

struct ph_auth_service {
	/* The mechanisms to offer on this connection now, parted by spaces: empty where a password may not be
	 * sent. Does not park. */
	const char *(*mechanisms)(const struct ph_conn *conn);
	/* May park. Runs one exchange. `initial` is the initial response in base64 ("=" for an empty one), or
	 * { NULL, 0 } for none. On success sets the connection's user. PH_E_UNSUPPORTED  no such mechanism
	 * here PH_E_DENIED       wrong user or password, or refused by a policy (error->client says it in
	 * words) PH_E_INVALID      not base64, malformed, or cancelled PH_E_LIMIT        too many failures:
	 * say so and close the connection PH_E_UNAVAILABLE  cannot tell now A failure is answered late, the
	 * later the more there were. */
	int (*authenticate)(struct ph_conn *conn, struct ph_str mechanism, struct ph_str initial,
		const struct ph_sasl_carrier *carrier, struct ph_pool *pool, struct ph_login *login_r,
		struct ph_error *error);
	/* May park. The same for protocols' own login commands; also PH_E_UNSUPPORTED where a password may
	 * not be sent. */
	int (*password)(struct ph_conn *conn, struct ph_str user, struct ph_str password,
		struct ph_pool *pool, struct ph_login *login_r, struct ph_error *error);
};

#endif
