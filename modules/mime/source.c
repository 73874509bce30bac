/* Reading the bytes of a message from where they are. */
#include "source.h"

enum { PIECE = 16 * 1024 };

int source_copy(
	const struct ph_mime_source *source, uint64_t offset, uint64_t size, const struct ph_mime_sink *sink)
{
	while (size > 0) {
		struct ph_str bytes;
		int result = source->view(source->arg, offset, &bytes);
		if (result < 0)
			return result;
		if (bytes.len == 0)
			break;
		bytes = ph_str_slice(bytes, 0, size < PIECE ? (size_t)size : PIECE);
		offset += bytes.len;
		size -= bytes.len;
		result = sink->write(sink->arg, bytes);
		if (result != 0)
			return result < 0 ? result : 0;
	}
	return 0;
}
