/* Any bytes as a summary: refused, or read as a tree that is sound. */
#include <stdint.h>

#include <posthorn/error.h>

#include "../../modules/mime/section.h"
#include "../../modules/mime/summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_mime_message message, again;
	struct ph_mime_section section;
	struct ph_pool *pool = ph_pool_new(1024 * 1024);
	struct ph_str bytes = ph_str_of(data, size);
	summary_view(bytes, &message);
	if (summary_decode(bytes, pool, &message) == 0) {
		struct ph_buf encoded;
		ph_buf_init(&encoded, SIZE_MAX);
		summary_encode(&message, &encoded);
		PH_ASSERT(summary_decode(ph_buf_str(&encoded), pool, &again) != PH_E_CORRUPT);
		if (section_find(&message, PH_STR("1.1.HEADER"), &section) == 0)
			PH_ASSERT(section.offset + section.size <= message.size);
		ph_buf_free(&encoded);
	}
	ph_pool_free(&pool);
	return 0;
}
