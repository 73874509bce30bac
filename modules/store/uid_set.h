/* Sets of UIDs as ascending ranges. The struct is public (posthorn/store.h); zeroed, it is the empty set. */
#ifndef STORE_UID_SET_H
#define STORE_UID_SET_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/buf.h>
#include <posthorn/store.h>

void uid_set_add(struct ph_uid_set *set, uint32_t first, uint32_t last);
bool uid_set_has(const struct ph_uid_set *set, uint32_t uid);
uint64_t uid_set_count(const struct ph_uid_set *set);
void uid_set_free(struct ph_uid_set *set);

void uid_set_add_all(struct ph_uid_set *set, const struct ph_uid_set *other);
/* Adds to *set what is in both, or in `a` only. */
void uid_set_add_common(struct ph_uid_set *set, const struct ph_uid_set *a, const struct ph_uid_set *b);
void uid_set_add_rest(struct ph_uid_set *set, const struct ph_uid_set *a, const struct ph_uid_set *b);
/* The smallest member that is not below `uid`. */
bool uid_set_next(const struct ph_uid_set *set, uint32_t uid, uint32_t *next_r);
/* The number of the first range that does not end before `uid`; set->count if there is none. */
size_t uid_set_find(const struct ph_uid_set *set, uint32_t uid);

/* As few bytes as there are ranges. decode: PH_E_CORRUPT, with nothing more added. */
void uid_set_encode(const struct ph_uid_set *set, struct ph_buf *buf);
int uid_set_decode(struct ph_str bytes, struct ph_uid_set *set);

#endif
