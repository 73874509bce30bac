/* Services: how modules meet. A service is a const struct of function pointers declared in a public header
 * and offered under a name with a version, such as "store/1". A module lists the services it provides and
 * needs in its descriptor; the loader starts a provider before those who need it, and stops it after them.
 * Look a service up once, in init, and keep the pointer. */
#ifndef POSTHORN_SERVICE_H
#define POSTHORN_SERVICE_H

/* The table of that service; never NULL for a service that the calling module's descriptor lists as needed
 * (also not yet started ones: calling through it waits for start). NULL for one nobody provides. */
const void *ph_service(const char *name);

#endif
