/* Changes: whatever message is changed, what was not changed is still there byte for byte, and what is new
 * reads back. The first byte says what to do, the rest is the message. */
#include <stdint.h>
#include <stdlib.h>

#include <posthorn/error.h>

#include "../../modules/mime/decode.h"
#include "../../modules/mime/edit.h"
#include "../../modules/mime/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LEAVES_MAX = 200 };

struct leaves {
	const struct ph_mime_part *parts[LEAVES_MAX];
	size_t count;
};

static void collect(const struct ph_mime_part *part, struct leaves *leaves)
{
	for (; part; part = part->next) {
		if (!part->children && leaves->count < LEAVES_MAX)
			leaves->parts[leaves->count++] = part;
		collect(part->children, leaves);
	}
}

static int view(void *arg, uint64_t offset, struct ph_str *bytes_r)
{
	const struct ph_str *bytes = arg;
	*bytes_r = ph_str_slice(*bytes, offset, offset + 100);
	return 0;
}

static int gather(void *arg, struct ph_str bytes)
{
	PH_ASSERT(ph_buf_add_str(arg, bytes));
	return 0;
}

static struct ph_str body_of(const struct ph_mime_part *part, struct ph_str bytes)
{
	uint64_t body = ph_mime_body_offset(part);
	return ph_str_slice(bytes, body, body + part->body_size);
}

static void check_new(const struct ph_mime_part *part, struct ph_str bytes, struct ph_str expected)
{
	struct ph_mime_decoder decoder;
	struct ph_buf body;
	ph_buf_init(&body, SIZE_MAX);
	decoder_init(&decoder, part->encoding);
	decoder_feed(&decoder, body_of(part, bytes), &body);
	decoder_finish(&decoder, &body);
	PH_ASSERT(ph_mime_is(part, "image", "x") && ph_str_eq(ph_buf_str(&body), expected));
	ph_buf_free(&body);
}

/* It, or the multipart without parts that it stands for, is a whole message in the message. */
static bool is_inner_message(const struct ph_mime_part *part)
{
	const struct ph_mime_part *parent = part->parent;
	if (parent && ph_mime_is(parent, "multipart", NULL) && part->header_size == 0)
		parent = parent->parent;
	return parent && ph_mime_is(parent, "message", NULL);
}

static void check_written(const struct leaves *old, struct ph_str old_bytes, struct ph_str bytes,
	size_t replaced, bool added, struct ph_str body)
{
	struct leaves now = { 0 };
	struct ph_mime_parser *parser = parser_new(NULL);
	parser_feed(parser, bytes);
	collect(parser_finish(parser)->root, &now);
	if (now.count < LEAVES_MAX) {
		PH_ASSERT(now.count == old->count + added);
		for (size_t i = 0; i < old->count; i++)
			if (i == replaced)
				check_new(now.parts[i], bytes, body);
			else
				PH_ASSERT(ph_str_eq(
					body_of(old->parts[i], old_bytes), body_of(now.parts[i], bytes)));
		if (added)
			check_new(now.parts[old->count], bytes, body);
	}
	parser_free(&parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned what = size > 0 ? data[0] : 0;
	struct ph_str bytes = ph_str_of(data + (size > 0), size - (size > 0));
	struct ph_str body = ph_str_slice(bytes, bytes.len / 2, bytes.len);
	const struct ph_mime_source source = { view, &bytes };
	const struct ph_mime_new_part part = { .type = PH_STR("image/x"), .body = body };
	struct ph_mime_parser *parser = parser_new(NULL);
	struct ph_mime_object object = { .source = &source, .pool = ph_pool_new(0), .may_change = true };
	struct leaves leaves = { 0 };
	struct ph_buf written;
	ph_buf_init(&written, SIZE_MAX);
	parser_feed(parser, bytes);
	object.message = parser_finish(parser);
	object.header = object.message->header;
	collect(object.message->root, &leaves);
	size_t replaced = what & 1 ? (what >> 4) % leaves.count : SIZE_MAX;
	if (what & 1 && edit_replace_part(&object, leaves.parts[replaced], &part) != 0) {
		PH_ASSERT(is_inner_message(leaves.parts[replaced]));
		replaced = SIZE_MAX;
	}
	if (what & 2)
		PH_ASSERT(edit_add_part(&object, &part) == 0);
	if (what & 4)
		PH_ASSERT(edit_insert_field(&object, what >> 4, PH_STR("X-New"), body) == 0);
	if (what & 8)
		edit_remove_field(&object, PH_STR("subject"), 0);
	PH_ASSERT(object_write(&object, &(struct ph_mime_sink){ gather, &written }) == 0);
	check_written(&leaves, bytes, ph_buf_str(&written), replaced, what & 2, body);
	ph_buf_free(&written);
	parser_free(&parser);
	ph_pool_free(&object.pool);
	return 0;
}
