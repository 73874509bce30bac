/* Recent successful logins of this worker, so that a mail client's five connections do not cost five password
 * hashes.
 *
 * Kept are only MACs, under a key that dies with the process, over the user, the stored hash and the
 * password. The stored hash is read for every login anyway; with it inside, a changed password is a miss by
 * itself. */
#ifndef AUTH_RECENT_H
#define AUTH_RECENT_H

#include <stdbool.h>

#include <posthorn/fiber.h>
#include <posthorn/str.h>

/* Remembers logins for `validity` (0: not at all). PH_E_IO when there is no randomness for the key. */
int recent_start(ph_msec validity);
void recent_stop(void);
/* Did these succeed lately? */
bool recent_has(struct ph_str user, struct ph_str hash, struct ph_str password);
void recent_add(struct ph_str user, struct ph_str hash, struct ph_str password);

#endif
