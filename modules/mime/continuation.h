#ifndef MIME_CONTINUATION_H
#define MIME_CONTINUATION_H

#include <posthorn/mime.h>

/* When items[first] begins a value that goes on in the items behind it (name*0, name*1 ...): puts the value
 * together into `value`, says the name it has so, and returns how many items it took. 0: it stands for
 * itself. */
size_t continuation_join(
	const struct ph_mime_params *params, size_t first, struct ph_buf *value, struct ph_str *name_r);

#endif
