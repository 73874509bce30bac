/* What the Lua host keeps for a connection, in conn_lua_slot(): the session object of policies, with
 * session.state and session.transaction. */
#ifndef CORE_LUA_HOOK_H
#define CORE_LUA_HOOK_H

/* The connection closed: the session object is over from now on. NULL is allowed. */
void lua_session_free(void *slot);
/* A transaction ended: session.transaction is empty again. NULL is allowed. */
void lua_session_end_transaction(void *slot);

#endif
