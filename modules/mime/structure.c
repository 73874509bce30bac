/* BODY and BODYSTRUCTURE (RFC 3501, 7.4.2 and 9):
 *
 *   body            = "(" (body-type-1part / body-type-mpart) ")"
 *   body-type-mpart = 1*body SP media-subtype [SP params SP disposition SP language SP location]
 *   body-type-1part = type SP subtype SP params SP id SP description SP encoding SP octets
 *                     [SP envelope SP body SP lines / SP lines] [SP md5 SP disposition SP language SP
 * location]
 */
#include "structure.h"

#include "imap_text.h"

static void add_param(struct ph_buf *buf, struct ph_str name, struct ph_str value)
{
	imap_add_string(buf, name);
	ph_buf_add_char(buf, ' ');
	imap_add_string(buf, value);
}

static void add_each(struct ph_buf *buf, const struct ph_mime_params *params)
{
	for (size_t i = 0; i < params->count; i++) {
		if (i > 0)
			ph_buf_add_char(buf, ' ');
		add_param(buf, params->items[i].name, params->items[i].value);
	}
}

static void add_params(struct ph_buf *buf, const struct ph_mime_params *params)
{
	if (params->count == 0) {
		ph_buf_add_text(buf, "NIL");
		return;
	}
	ph_buf_add_char(buf, '(');
	add_each(buf, params);
	ph_buf_add_char(buf, ')');
}

/* Text without a charset is US-ASCII (RFC 2046, 4.1.2), and said to be. */
static void add_part_params(struct ph_buf *buf, const struct ph_mime_part *part)
{
	if (!ph_mime_is(part, "text", NULL) || part->charset.len > 0) {
		add_params(buf, &part->params);
		return;
	}
	ph_buf_add_char(buf, '(');
	add_each(buf, &part->params);
	if (part->params.count > 0)
		ph_buf_add_char(buf, ' ');
	add_param(buf, PH_STR("charset"), PH_STR("us-ascii"));
	ph_buf_add_char(buf, ')');
}

static void add_languages(struct ph_buf *buf, const struct ph_mime_part *part)
{
	if (part->language_count == 0) {
		ph_buf_add_text(buf, "NIL");
		return;
	}
	for (size_t i = 0; i < part->language_count; i++) {
		ph_buf_add_char(buf, i ? ' ' : '(');
		imap_add_string(buf, part->languages[i]);
	}
	ph_buf_add_char(buf, ')');
}

/* What both kinds of extension data end with. */
static void add_extension(struct ph_buf *buf, const struct ph_mime_part *part)
{
	ph_buf_add_char(buf, ' ');
	if (part->disposition.len == 0) {
		ph_buf_add_text(buf, "NIL");
	} else {
		ph_buf_add_char(buf, '(');
		imap_add_string(buf, part->disposition);
		ph_buf_add_char(buf, ' ');
		add_params(buf, &part->disposition_params);
		ph_buf_add_char(buf, ')');
	}
	ph_buf_add_char(buf, ' ');
	add_languages(buf, part);
	ph_buf_add_char(buf, ' ');
	imap_add_nstring(buf, part->location);
}

static void add_multipart(struct ph_buf *buf, const struct ph_mime_part *part, bool extended)
{
	for (const struct ph_mime_part *child = part->children; child; child = child->next)
		structure_add(buf, child, extended);
	ph_buf_add_char(buf, ' ');
	imap_add_string(buf, part->subtype);
	if (!extended)
		return;
	ph_buf_add_char(buf, ' ');
	add_params(buf, &part->params);
	add_extension(buf, part);
}

static void add_number(struct ph_buf *buf, uint64_t number)
{
	char text[24];
	size_t at = sizeof text;
	do
		text[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	text[--at] = ' ';
	ph_buf_add(buf, text + at, sizeof text - at);
}

static void add_single(struct ph_buf *buf, const struct ph_mime_part *part, bool extended)
{
	imap_add_string(buf, part->type);
	ph_buf_add_char(buf, ' ');
	imap_add_string(buf, part->subtype);
	ph_buf_add_char(buf, ' ');
	add_part_params(buf, part);
	ph_buf_add_char(buf, ' ');
	imap_add_nstring(buf, part->id);
	ph_buf_add_char(buf, ' ');
	imap_add_nstring(buf, part->description);
	ph_buf_add_char(buf, ' ');
	imap_add_string(buf, part->encoding_name.len ? part->encoding_name : PH_STR("7bit"));
	add_number(buf, part->body_size);
	if (part->children) {
		ph_buf_add_char(buf, ' ');
		ph_buf_add_str(buf, part->children->envelope);
		ph_buf_add_char(buf, ' ');
		structure_add(buf, part->children, extended);
	}
	if (part->children || ph_mime_is(part, "text", NULL))
		add_number(buf, part->body_lines);
	if (!extended)
		return;
	ph_buf_add_char(buf, ' ');
	imap_add_nstring(buf, part->md5);
	add_extension(buf, part);
}

void structure_add(struct ph_buf *buf, const struct ph_mime_part *part, bool extended)
{
	ph_buf_add_char(buf, '(');
	if (ph_mime_is(part, "multipart", NULL))
		add_multipart(buf, part, extended);
	else
		add_single(buf, part, extended);
	ph_buf_add_char(buf, ')');
}
