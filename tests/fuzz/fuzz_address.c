/* Paths: what is taken must format to what is taken again, as the same address. */
#include <stdint.h>

#include <posthorn/error.h>

#include "../../modules/address/syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_address address, again;
	struct ph_str rest = ph_str_of(data, size);
	unsigned flags = size > 0 ? data[size - 1] & 7 : 0;
	struct ph_pool *pool = ph_pool_new(0);
	if (address_parse_path(&rest, flags, pool, &address) == 0 && address.domain.len > 0) {
		struct ph_str text = address_format(&address, pool);
		PH_ASSERT(rest.len < size);
		PH_ASSERT(address_parse(text, flags, pool, &again) == 0);
		PH_ASSERT(ph_str_eq(address.local, again.local) && ph_str_eq(address.domain, again.domain));
		PH_ASSERT(address_equal(&address, &again));
		PH_ASSERT(ph_str_case_eq(address_key(&address, pool), address_key(&again, pool)));
	}
	ph_pool_free(&pool);
	return 0;
}
