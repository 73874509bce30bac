/* The module's own: its options, the services it stands on, and its two halves: finding a route (resolve.c)
 * and putting a message there (deliver.c). */
#ifndef DELIVERY_DELIVERY_H
#define DELIVERY_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/address.h>
#include <posthorn/conf.h>
#include <posthorn/delivery.h>
#include <posthorn/hook.h>
#include <posthorn/mime.h>
#include <posthorn/store.h>

struct delivery_config {
	struct ph_text_map aliases;
	const char *separator;
	bool mailbox_by_detail;
	const char *postmaster;
	int64_t max_alias_depth;
	int64_t max_alias_targets;
};

struct delivery_services {
	const struct ph_store_service *store;
	const struct ph_address_service *address;
	const struct ph_mime_service *mime;
};

extern struct delivery_config delivery_config;
extern struct delivery_services delivery_services;
extern struct ph_hook_point delivery_begin_hook;

/* Builds the index of aliases from the configuration; PH_E_INVALID when one is no address. */
int delivery_aliases_open(struct ph_error *error);
void delivery_aliases_close(void);

struct ph_str delivery_detail(struct ph_str local);
int delivery_resolve(const struct ph_address *recipient, struct ph_pool *pool, struct ph_route *route_r,
	struct ph_error *error);

void delivery_deliver(struct ph_conn *session, struct ph_str reverse_path, struct ph_draft *draft,
	const struct ph_mime_message *message, struct ph_delivery_recipient *recipients, size_t count,
	bool together, struct ph_pool *pool);

#endif
