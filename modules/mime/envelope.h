#ifndef MIME_ENVELOPE_H
#define MIME_ENVELOPE_H

#include <posthorn/mime.h>

#include "addresses.h"

enum header_field {
	FIELD_CONTENT_TYPE,
	FIELD_CONTENT_ENCODING,
	FIELD_CONTENT_ID,
	FIELD_CONTENT_DESCRIPTION,
	FIELD_CONTENT_DISPOSITION,
	FIELD_CONTENT_LANGUAGE,
	FIELD_CONTENT_LOCATION,
	FIELD_CONTENT_MD5,
	/* From here on: of messages only. */
	FIELD_DATE,
	FIELD_SUBJECT,
	FIELD_FROM,
	FIELD_SENDER,
	FIELD_REPLY_TO,
	FIELD_TO,
	FIELD_CC,
	FIELD_BCC,
	FIELD_IN_REPLY_TO,
	FIELD_MESSAGE_ID,
	FIELD_REFERENCES,
	FIELD_COUNT
};

/* The ENVELOPE (RFC 3501, 7.4.2) of the message whose fields have these raw values and addresses, in `pool`.
 */
struct ph_str envelope_make(const struct ph_str values[FIELD_COUNT],
	const struct address_list lists[FIELD_COUNT], struct ph_pool *pool, struct ph_pool *scratch);

#endif
