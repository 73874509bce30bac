/* What one session sees of a mailbox: the UIDs in order, and how they are numbered. */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include <stdint.h>

#include <posthorn/store.h>

struct view {
	struct ph_uid_set uids;
	uint32_t *before; /* for each range, how many messages come before it */
	uint32_t count;
};

void view_free(struct view *view);
void view_add(struct view *view, const struct ph_uid_set *uids);
void view_remove(struct view *view, const struct ph_uid_set *uids);

/* The UID at that sequence number, and the reverse; 0: none. */
uint32_t view_uid(const struct view *view, uint32_t sequence);
uint32_t view_sequence(const struct view *view, uint32_t uid);
/* How many messages have a UID up to this one. */
uint32_t view_rank(const struct view *view, uint32_t uid);
void view_uids(const struct view *view, uint32_t first, uint32_t last, struct ph_uid_set *set);

#endif
