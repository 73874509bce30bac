/* PROXY headers out of any bytes: of a whole one, every shorter piece must ask for more. */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "../../core/layer_proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header header, again;
	struct ph_str bytes = { (const char *)data, size };
	int len = proxy_parse(bytes, &header);
	if (len <= 0)
		return 0;
	if ((size_t)len > size || len > PROXY_HEADER_MAX)
		abort();
	for (int cut = 0; cut < len; cut++)
		if (proxy_parse(ph_str_slice(bytes, 0, (size_t)cut), &again) != 0)
			abort();
	if (proxy_parse(ph_str_slice(bytes, 0, (size_t)len), &again) != len || again.known != header.known)
		abort();
	return 0;
}
