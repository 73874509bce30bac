/* What people call things: for the log, and for answers to an administrator. */
#ifndef STORE_NAMING_H
#define STORE_NAMING_H

#include "store.h"

/* The address of an account, "account 17" for one that has none any more. May park. In the pool. */
struct ph_str naming_account(ph_account_id account, struct ph_pool *pool);
/* The name of a mailbox, "mailbox M0000001100000002" for one that has none any more. May park. In the pool.
 */
struct ph_str naming_mailbox(uint64_t mailbox, struct ph_pool *pool);

#endif
