/* The bus between workers: one datagram socket pair for each worker slot, made by the master before any fork,
 * so that a worker knows the way to all others, also to those that are started later. */
#ifndef POSTHORN_BUS_PRIVATE_H
#define POSTHORN_BUS_PRIVATE_H

#include <stdbool.h>

#include <posthorn/bus.h>
#include <posthorn/error.h>

#define BUS_SLOTS_MAX 256

/* In the master, once: makes the sockets of `slots` workers. */
int bus_open(unsigned slots, struct ph_error *error);
unsigned bus_slots(void);
/* In a worker, after ph_loop_init(): receives as that slot from now on. */
void bus_join(unsigned slot);
/* In the master: the worker of that slot is gone. */
void bus_leave(unsigned slot);
/* In a worker that ends. */
void bus_close(void);
/* In a tool: what is published goes to the server behind this control socket, if there is one. */
void bus_use_control(const char *socket_path);

#endif
