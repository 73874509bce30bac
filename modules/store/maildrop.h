/* Maildrops: one session at a time, in all workers (RFC 1939, 3). */
#ifndef STORE_MAILDROP_H
#define STORE_MAILDROP_H

#include "store.h"

int maildrop_open(struct ph_error *error);
void maildrop_close(void);

int maildrop_lock(struct ph_actor actor, ph_account_id account, struct ph_error *error);
void maildrop_unlock(struct ph_actor actor, ph_account_id account);

#endif
