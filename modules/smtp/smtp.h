/* What the whole module shares: its options, the services it stands on, its hook points and its counters. */
#ifndef SMTP_SMTP_H
#define SMTP_SMTP_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/address.h>
#include <posthorn/auth.h>
#include <posthorn/conf.h>
#include <posthorn/delivery.h>
#include <posthorn/mime.h>
#include <posthorn/store.h>

enum sender_rule { SENDER_OWN, SENDER_ANY };

struct smtp_config {
	int64_t max_message_size;
	int64_t max_recipients;
	int64_t max_received;
	int64_t max_errors;
	int64_t max_line;
	ph_msec data_timeout;
	int submission_sender; /* enum sender_rule */
};

struct smtp_services {
	const struct ph_address_service *address;
	const struct ph_mime_service *mime;
	const struct ph_store_service *store;
	const struct ph_delivery_service *delivery;
	const struct ph_auth_service *auth;
};

extern struct smtp_config smtp_config;
extern struct smtp_services smtp_services;

/* Why a recipient or a message was refused, as the metrics know it. */
enum refusal {
	REFUSED_UNKNOWN,   /* no such user */
	REFUSED_RELAY,     /* not a local domain */
	REFUSED_POLICY,    /* a hook, or the sender rule */
	REFUSED_LIMIT,     /* too large, too many */
	REFUSED_CONTENT,   /* bare line ends, loops */
	REFUSED_TEMPORARY, /* ours: try again */
	REFUSALS
};

void counters_init(void);
void count_message(uint64_t size);
void count_refused_message(enum refusal why);
void count_refused_recipient(enum refusal why);

#endif
