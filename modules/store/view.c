/* Views. A mailbox mostly is a few runs of UIDs, so a view takes little room, and both directions are a
 * binary search. */
#include <config.h>

#include "view.h"

#include <stdlib.h>

#include <posthorn/mem.h>

#include "uid_set.h"

static void number_ranges(struct view *view)
{
	view->before = ph_realloc_array(view->before, view->uids.count + 1, sizeof(*view->before));
	view->count = 0;
	for (size_t i = 0; i < view->uids.count; i++) {
		view->before[i] = view->count;
		view->count += view->uids.ranges[i].last - view->uids.ranges[i].first + 1;
	}
}

void view_free(struct view *view)
{
	uid_set_free(&view->uids);
	free(view->before);
	*view = (struct view){ 0 };
}

void view_add(struct view *view, const struct ph_uid_set *uids)
{
	uid_set_add_all(&view->uids, uids);
	number_ranges(view);
}

void view_remove(struct view *view, const struct ph_uid_set *uids)
{
	struct ph_uid_set rest = { 0 };

	uid_set_add_rest(&rest, &view->uids, uids);
	uid_set_free(&view->uids);
	view->uids = rest;
	number_ranges(view);
}

/* The range that holds the sequence number, which must be in the view. */
static size_t range_at(const struct view *view, uint32_t sequence)
{
	size_t low = 0, high = view->uids.count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (view->before[middle] < sequence)
			low = middle;
		else
			high = middle;
	}
	return low;
}

uint32_t view_uid(const struct view *view, uint32_t sequence)
{
	size_t at;

	if (sequence == 0 || sequence > view->count)
		return 0;
	at = range_at(view, sequence);
	return view->uids.ranges[at].first + (sequence - view->before[at] - 1);
}

uint32_t view_rank(const struct view *view, uint32_t uid)
{
	size_t at = uid_set_find(&view->uids, uid);

	if (at == view->uids.count)
		return view->count;
	if (view->uids.ranges[at].first > uid)
		return view->before[at];
	return view->before[at] + (uid - view->uids.ranges[at].first) + 1;
}

uint32_t view_sequence(const struct view *view, uint32_t uid)
{
	return uid_set_has(&view->uids, uid) ? view_rank(view, uid) : 0;
}

void view_uids(const struct view *view, uint32_t first, uint32_t last, struct ph_uid_set *set)
{
	struct ph_uid_set between = { 0 };

	if (first == 0)
		first = 1;
	if (last > view->count)
		last = view->count;
	if (first > last)
		return;
	uid_set_add(&between, view_uid(view, first), view_uid(view, last));
	uid_set_add_common(set, &view->uids, &between);
	uid_set_free(&between);
}
