/* What the core itself needs of a connection besides posthorn/conn.h. */
#ifndef CORE_CONN_PRIVATE_H
#define CORE_CONN_PRIVATE_H

#include <stdbool.h>

#include <posthorn/conn.h>

#include "listen.h"

/* Asked before the greeting, with no arguments but the session; allows accept, reject, defer, disconnect. */
extern struct ph_hook_point conn_accept_hook;

/* A pointer that the Lua host keeps for each connection; starts as NULL. Handed to lua_session_free() when
 * the connection closes, and to lua_session_end_transaction(). */
void **conn_lua_slot(struct ph_conn *conn);

const struct listener_config *conn_listener_config(const struct ph_conn *conn);
/* The server name of TLS' SNI, or empty. */
const char *conn_tls_server_name(const struct ph_conn *conn);

#endif
