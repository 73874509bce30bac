/* Mbox files: lines out of pieces of any size, "From " lines, and the fields that are kept in headers. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <posthorn/error.h>

#include "../../modules/store/transfer/lines.h"
#include "../../modules/store/transfer/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t left, piece;
};

static int read_piece(void *arg, char *to, size_t size)
{
	struct input *input = arg;
	size_t len = input->left < input->piece ? input->left : input->piece;

	if (len > size)
		len = size;
	memcpy(to, input->data, len);
	input->data += len;
	input->left -= len;
	return (int)len;
}

static void check_fields(const struct mbox_fields *fields)
{
	PH_ASSERT(fields->keyword_count <= MBOX_KEYWORDS);
	for (size_t i = 0; i < fields->keyword_count; i++)
		PH_ASSERT(fields->keywords[i].len > 0 && ph_str_find(fields->keywords[i], ' ') < 0);
	PH_ASSERT(!fields->keywords_lost || fields->keyword_count == MBOX_KEYWORDS);
}

/* A number that stands for all that was read; the lines together must be the input. */
static uint64_t read_file(const uint8_t *data, size_t size, size_t piece)
{
	struct input input = { data, size, piece };
	struct lines *lines = ph_alloc(sizeof(*lines));
	struct ph_pool *pool = ph_pool_new(0);
	struct mbox_fields fields;
	struct ph_str line;
	uint64_t picture = 0;
	size_t at = 0;
	bool begins;

	lines_init(lines, read_piece, &input);
	mbox_fields_init(&fields);
	while (lines_next(lines, &line, &begins) > 0) {
		int64_t date;

		PH_ASSERT(
			line.len > 0 && line.len <= size - at && memcmp(data + at, line.data, line.len) == 0);
		PH_ASSERT(begins == (at == 0 || data[at - 1] == '\n'));
		at += line.len;
		picture = picture * 31 + line.len;
		if (mbox_from_line(line, &date)) {
			PH_ASSERT(mbox_is_from(line));
			picture += (uint64_t)date;
			mbox_fields_init(&fields);
		} else if (begins && mbox_take_field(line, pool, &fields)) {
			check_fields(&fields);
			picture += fields.flags + fields.uid + fields.uid_validity + fields.uid_next +
				   fields.keyword_count;
		}
	}
	PH_ASSERT(at == size);
	ph_pool_free(&pool);
	free(lines);
	return picture;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t whole = read_file(data, size, SIZE_MAX);

	/* Beyond the buffer of a line, where it is cut depends on the pieces. */
	if (size < 65536) {
		PH_ASSERT(read_file(data, size, 1) == whole);
		PH_ASSERT(read_file(data, size, 7) == whole);
	}
	return 0;
}
