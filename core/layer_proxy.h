/* The PROXY protocol's header (versions 1 and 2): a balancer in front tells whom it speaks for. It comes
 * before everything else, so it is not a layer that stays: it is read once, and not one byte more. */
#ifndef CORE_LAYER_PROXY_H
#define CORE_LAYER_PROXY_H

#include <posthorn/fiber.h>

#include "endpoint.h"

/* Longer headers (they may carry further fields, which are skipped) are refused. */
enum { PROXY_HEADER_MAX = 2048 };

struct proxy_header {
	bool known; /* false: the balancer speaks for itself, or does not know */
	struct endpoint remote;
	struct endpoint local;
};

/* The header's length when it is whole, 0 when more is needed, PH_E_INVALID when it can never become one. */
int proxy_parse(struct ph_str bytes, struct proxy_header *header_r);
/* May park: takes the header from the socket. */
int proxy_receive(int fd, ph_msec deadline, struct proxy_header *header_r);

#endif
