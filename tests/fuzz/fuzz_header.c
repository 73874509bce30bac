/* Header fields: each reader on any bytes. What is decoded must be UTF-8 without control characters, what is
 * unfolded one line; the pieces of a header make up the whole. */
#include <stdint.h>

#include <posthorn/error.h>

#include "../../modules/mime/addresses.h"
#include "../../modules/mime/date.h"
#include "../../modules/mime/header.h"
#include "../../modules/mime/list_field.h"
#include "../../modules/mime/params.h"
#include "../../modules/mime/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_decoded(struct ph_str text)
{
	uint32_t character;
	for (size_t i = 0; i < text.len;) {
		int length = utf8_next(text.data + i, text.len - i, &character);
		PH_ASSERT(length > 0 && character >= ' ' && character != 127);
		i += (size_t)length;
	}
}

/* What is shown to policies has no white space in it, and comes from between angle brackets. */
static void check_list_field(struct ph_str value, struct ph_pool *pool)
{
	const struct ph_str *urls;
	size_t count = list_urls(value, 5, pool, &urls);
	PH_ASSERT(count <= 5);
	for (size_t i = 0; i < count; i++)
		PH_ASSERT(urls[i].len > 0 && urls[i].len <= 3 * value.len && ph_str_find(urls[i], '\n') < 0);
	PH_ASSERT(ph_str_find(list_id(value, pool), '\n') < 0);
}

static void check_value(struct ph_str value, struct ph_pool *pool)
{
	static const char *const names[] = { "filename", "n", "charset" };
	const struct ph_mime_address *addresses;
	struct ph_mime_params params;
	struct ph_str text = header_unfold(value, pool);
	PH_ASSERT(ph_str_find(text, '\n') < 0 && ph_str_find(text, '\r') < 0 && ph_str_find(text, 0) < 0);
	check_decoded(header_decode(value, pool));
	message_ids(value, pool);
	struct ph_mime_date date = date_parse(value);
	PH_ASSERT(date.zone > -1440 && date.zone < 1440);
	size_t count = addresses_parse(value, 50, pool, &addresses);
	int open = 0;
	for (size_t i = 0; i < count; i++) {
		open += (addresses[i].kind == PH_MIME_GROUP_BEGIN) - (addresses[i].kind == PH_MIME_GROUP_END);
		PH_ASSERT(open == 0 || open == 1);
	}
	PH_ASSERT(open == 0 && count <= 50);
	check_list_field(value, pool);
	params_parse(value, 20, pool, &text, &params);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (params_get(&params, names[i], pool, &text))
			check_decoded(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_str header = ph_str_of(data, size);
	struct ph_mime_field field;
	struct ph_pool *pool = ph_pool_new(0);
	const char *at = header.data;
	check_value(header, pool);
	while (header_next(&header, &field)) {
		PH_ASSERT(field.raw.data == at);
		at += field.raw.len;
		check_value(field.value, pool);
	}
	ph_pool_free(&pool);
	return 0;
}
