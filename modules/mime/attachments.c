/* What hangs on a message: its parts that are not its text, and files in the text itself. A message in the
 * message is one attachment; what hangs on that is its own affair. */
#include "attachments.h"

#include <stdlib.h>

#include "embedded.h"
#include "header.h"
#include "source.h"
#include "text.h"

struct listing {
	const struct ph_mime_source *source;
	struct ph_pool *pool;
	struct ph_mime_attachment *items; /* grows; copied to the pool at the end */
	int count;
	int max;
	const struct ph_mime_part *part; /* whose text is read */
};

static bool add(struct listing *listing, const struct ph_mime_attachment *attachment)
{
	if (listing->count == listing->max)
		return false;
	if ((listing->count & (listing->count - 1)) == 0)
		listing->items = ph_realloc_array(listing->items,
			listing->count ? 2 * (size_t)listing->count : 1, sizeof *listing->items);
	listing->items[listing->count++] = *attachment;
	return true;
}

/* --- parts --- */

static bool is_text(const struct ph_mime_part *part)
{
	return ph_mime_is(part, "text", NULL) && part->filename.len == 0 &&
	       !ph_str_eq(part->disposition, PH_STR("attachment"));
}

/* Shown within a text: said so, or beside the root of a multipart/related (RFC 2387). */
static bool is_inline(const struct ph_mime_part *part)
{
	if (part->disposition.len > 0)
		return ph_str_eq(part->disposition, PH_STR("inline"));
	return part->parent && ph_mime_is(part->parent, "multipart", "related") &&
	       part->parent->children != part;
}

static bool is_tnef(const struct ph_mime_part *part)
{
	return ph_mime_is(part, "application", "ms-tnef") || ph_mime_is(part, "application", "vnd.ms-tnef") ||
	       ph_str_case_eq(part->filename, PH_STR("winmail.dat"));
}

static uint64_t decoded_size(const struct ph_mime_part *part)
{
	uint64_t ends = 2 * (uint64_t)part->body_lines;
	if (part->encoding != PH_MIME_BASE64)
		return part->body_size;
	return (part->body_size > ends ? part->body_size - ends : 0) / 4 * 3;
}

static void add_part(struct listing *listing, const struct ph_mime_part *part)
{
	add(listing, &(struct ph_mime_attachment){
			     .kind = is_tnef(part) ? PH_MIME_TNEF : PH_MIME_ATTACHED,
			     .part = part,
			     .name = part->filename,
			     .type = ph_pool_printf(listing->pool, "%.*s/%.*s", PH_STR_ARGS(part->type),
				     PH_STR_ARGS(part->subtype)),
			     .size = decoded_size(part),
			     .is_inline = is_inline(part),
		     });
}

/* --- files in text --- */

static bool add_embedded(void *arg, const struct ph_mime_attachment *file)
{
	struct listing *listing = arg;
	struct ph_mime_attachment attachment = *file;
	attachment.part = listing->part;
	attachment.name = header_decode(file->name, listing->pool);
	attachment.type = PH_STR("application/octet-stream");
	return add(listing, &attachment);
}

struct reading {
	struct ph_mime_text *text;
	struct ph_buf converted;
	struct embedded embedded;
};

static int read_piece(void *arg, struct ph_str piece)
{
	struct reading *reading = arg;
	reading->converted.len = 0;
	text_feed(reading->text, piece, &reading->converted);
	embedded_feed(&reading->embedded, ph_buf_str(&reading->converted));
	return reading->embedded.found ? 0 : 1;
}

static int read_text(struct listing *listing, const struct ph_mime_part *part)
{
	struct reading reading = { .text = text_new(part),
		.embedded = { .found = add_embedded, .arg = listing } };
	const struct ph_mime_sink sink = { read_piece, &reading };
	listing->part = part;
	ph_buf_init(&reading.converted, SIZE_MAX);
	int result = source_copy(listing->source, ph_mime_body_offset(part), part->body_size, &sink);
	if (result == 0) {
		reading.converted.len = 0;
		text_finish(reading.text, &reading.converted);
		embedded_feed(&reading.embedded, ph_buf_str(&reading.converted));
		embedded_finish(&reading.embedded);
	}
	ph_buf_free(&reading.converted);
	text_free(&reading.text);
	return result;
}

/* --- the list --- */

static int list(struct listing *listing, const struct ph_mime_part *part)
{
	int result = 0;
	if (ph_mime_is(part, "multipart", NULL)) {
		for (part = part->children; part && result == 0; part = part->next)
			result = list(listing, part);
	} else if (!is_text(part)) {
		add_part(listing, part);
	} else if (listing->source && ph_mime_is(part, "text", "plain")) {
		result = read_text(listing, part);
	}
	return result;
}

int attachments_list(const struct ph_mime_message *message, const struct ph_mime_source *source, int max,
	struct ph_pool *pool, const struct ph_mime_attachment **attachments_r)
{
	struct listing listing = { .source = source, .pool = pool, .max = max };
	int result = list(&listing, message->root);
	struct ph_mime_attachment *items = ph_pool_array(pool, (size_t)listing.count, sizeof *items);
	if (items && listing.count > 0)
		memcpy(items, listing.items, (size_t)listing.count * sizeof *items);
	*attachments_r = items;
	free(listing.items);
	return result < 0 ? result : items ? listing.count : 0;
}
