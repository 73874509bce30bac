/* Modified UTF-7: what is accepted encodes to just the same, and whatever bytes are encoded read back. */
#include <config.h>

#include "../../modules/imap/utf7.h"

#include <posthorn/error.h>
#include <posthorn/mem.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_str input = ph_str_of(data, size);
	char *decoded = ph_alloc(utf7_decoded_max(4 * size + 8));
	struct ph_buf buf;
	size_t len;

	ph_buf_init(&buf, 1 << 24);
	if (utf7_decode(input, decoded, &len)) {
		utf7_encode(ph_str_of(decoded, len), &buf);
		PH_ASSERT(len <= utf7_decoded_max(size));
		PH_ASSERT(ph_str_eq(ph_buf_str(&buf), input));
		ph_buf_reset(&buf);
	}
	utf7_encode(input, &buf);
	free(decoded);
	ph_buf_free(&buf);
	return 0;
}
