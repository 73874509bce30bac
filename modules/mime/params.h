#ifndef MIME_PARAMS_H
#define MIME_PARAMS_H

#include <posthorn/mime.h>

/* As in struct ph_mime_service. */
void params_parse(struct ph_str field_value, size_t max, struct ph_pool *pool, struct ph_str *value_r,
	struct ph_mime_params *params_r);
bool params_get(
	const struct ph_mime_params *params, const char *name, struct ph_pool *pool, struct ph_str *value_r);
/* The parameter as it stands there, with encoded words in it, if it stands there so; else decoded. */
bool params_raw(
	const struct ph_mime_params *params, const char *name, struct ph_pool *pool, struct ph_str *value_r);

#endif
