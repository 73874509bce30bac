#ifndef MIME_SORT_H
#define MIME_SORT_H

#include <posthorn/mime.h>

#include "addresses.h"

/* Of the first address of a list: what SORT's FROM, TO and CC compare, and what DISPLAYFROM and DISPLAYTO do.
 */
void sort_keys(const struct address_list *list, struct ph_pool *pool, struct ph_str *mailbox_r,
	struct ph_str *display_r);
/* As in struct ph_mime_service. */
bool base_subject(struct ph_str subject, struct ph_pool *pool, struct ph_str *base_r);

#endif
