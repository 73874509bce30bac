/* The service "delivery/1": where a recipient's mail goes, and putting it there. */
#ifndef POSTHORN_DELIVERY_H
#define POSTHORN_DELIVERY_H

#include <posthorn/address.h>
#include <posthorn/conn.h>
#include <posthorn/error.h>
#include <posthorn/mime.h>
#include <posthorn/store.h>
#include <posthorn/str.h>

#define PH_DELIVERY_SERVICE "delivery/1"

/* One local mailbox a recipient's mail goes to. */
struct ph_route_target {
	ph_account_id account;
	struct ph_str address; /* of the account */
	struct ph_str mailbox; /* "INBOX", or what policy or the sub-address chose */
};

/* What became of one recipient: its targets, or nothing at all (discard). */
struct ph_route {
	const struct ph_route_target *targets;
	size_t count;
	bool discard;
};

/* One recipient of a message, as given in the envelope, with its route. */
struct ph_delivery_recipient {
	struct ph_str address;
	struct ph_route route;
	/* Filled by deliver(): 0 or a negative code, and words for the client. PH_E_DENIED: a policy refuses
	 * it for good; PH_E_UNAVAILABLE: not now. Where a policy named an SMTP code and an enhanced code,
	 * they are here (else 0 and empty). */
	int result;
	struct ph_error error;
	int code;
	struct ph_str enhanced;
};

struct ph_delivery_service {
	/* The sub-address in a local part ("tag" of alice+tag), or empty. Does not park. */
	struct ph_str (*detail)(struct ph_str local);
	/* May park. Finds the route of a recipient by the accounts, aliases, sub-addresses and catch-alls of
	 * the configuration. PH_E_ABSENT: no such user in a local domain; PH_E_UNSUPPORTED: not a local
	 * domain; PH_E_LIMIT: the aliases go round or lead to too many. The route lies in `pool`. */
	int (*resolve)(const struct ph_address *recipient, struct ph_pool *pool, struct ph_route *route_r,
		struct ph_error *error);
	/* May park. Asks `deliver.begin` for each target and stores the finished draft in all that remain,
	 * durably, each mailbox once even when several recipients lead there. Every recipient gets its
	 * result; where one mailbox of several fails, a recipient's result is that failure. With `together`
	 * (a protocol that has one answer for all recipients) a target that policy refuses refuses the
	 * message: nothing is stored, and all get that result. */
	void (*deliver)(struct ph_conn *session, struct ph_str reverse_path, struct ph_draft *draft,
		const struct ph_mime_message *message, struct ph_delivery_recipient *recipients, size_t count,
		bool together, struct ph_pool *pool);
};

#endif
