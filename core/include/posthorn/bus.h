/* The bus: short messages to the other workers of this server. Delivery is a hint: a message may be lost when
 * a worker is overwhelmed, which then gets `overflow` instead and must look for itself. */
#ifndef POSTHORN_BUS_H
#define POSTHORN_BUS_H

#include <stdbool.h>

#include <posthorn/str.h>

#define PH_BUS_MESSAGE_MAX 1024

/* In a module's start: calls receive(arg, message, false) from the loop for each message on the topic from
 * another worker; receive(arg, empty, true) when messages may have been lost. `topic` must stay valid. */
void ph_bus_subscribe(
	const char *topic, void (*receive)(void *arg, struct ph_str message, bool overflow), void *arg);
/* Tells all other workers. Longer than PH_BUS_MESSAGE_MAX is a bug. */
void ph_bus_publish(const char *topic, struct ph_str message);

#endif
