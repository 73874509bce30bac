/* Section names (RFC 3501, 6.4.5 and 9):
 *
 *   section-spec   = section-msgtext / (section-part ["." section-text])
 *   section-part   = nz-number *("." nz-number)
 *   section-text   = section-msgtext / "MIME"
 *   section-msgtext = "HEADER" / "TEXT"
 *
 * Numbers count the parts of a multipart. A message that is none has one part, 1: its body. Behind the number
 * of a message/rfc822 part, numbers count the parts of the message in it. */
#include "section.h"

#include <posthorn/error.h>

/* The part number `number` is within; NULL when there is none. */
static const struct ph_mime_part *numbered_part(
	const struct ph_mime_part *part, bool is_message, uint64_t number)
{
	if (ph_mime_is(part, "message", NULL) && part->children && !is_message)
		return numbered_part(part->children, true, number);
	if (!ph_mime_is(part, "multipart", NULL))
		return is_message && number == 1 ? part : NULL;
	const struct ph_mime_part *child = part->children;
	while (child && --number > 0)
		child = child->next;
	return child;
}

static void set_header(const struct ph_mime_part *part, struct ph_mime_section *section_r)
{
	*section_r = (struct ph_mime_section){ part, part->header_offset, part->header_size };
}

static void set_body(const struct ph_mime_part *part, struct ph_mime_section *section_r)
{
	*section_r = (struct ph_mime_section){ part, ph_mime_body_offset(part), part->body_size };
}

/* What a name ends with. `part` is what its numbers led to; without numbers it is the message. */
static int find_text(const struct ph_mime_part *part, bool has_numbers, struct ph_str name,
	struct ph_mime_section *section_r)
{
	bool mime = ph_str_case_eq(name, PH_STR("MIME"));
	bool header = ph_str_case_eq(name, PH_STR("HEADER"));
	if (!header && !ph_str_case_eq(name, PH_STR("TEXT")) && !(mime && has_numbers))
		return PH_E_INVALID;
	if (!part)
		return PH_E_ABSENT;
	if (mime) {
		set_header(part, section_r);
		return 0;
	}
	if (has_numbers) {
		if (!ph_mime_is(part, "message", "rfc822") || !part->children)
			return PH_E_ABSENT;
		part = part->children;
	}
	if (header)
		set_header(part, section_r);
	else
		set_body(part, section_r);
	return 0;
}

int section_find(const struct ph_mime_message *message, struct ph_str name, struct ph_mime_section *section_r)
{
	const struct ph_mime_part *part = message->root;
	bool is_message = true; /* the part stands for a message, not for a body part */
	bool has_numbers = false;
	struct ph_str piece;
	if (name.len == 0) {
		*section_r = (struct ph_mime_section){ part, 0, message->size };
		return 0;
	}
	if (name.data[name.len - 1] == '.')
		return PH_E_INVALID;
	while (ph_str_split(&name, '.', &piece)) {
		uint64_t number;
		if (piece.len == 0)
			return PH_E_INVALID;
		if (!ph_is_digit(piece.data[0]))
			return name.len == 0 ? find_text(part, has_numbers, piece, section_r) : PH_E_INVALID;
		if (piece.data[0] == '0' || !ph_str_number(piece, UINT32_MAX, &number))
			return PH_E_INVALID;
		part = part ? numbered_part(part, is_message, number) : NULL;
		is_message = false;
		has_numbers = true;
	}
	if (!part)
		return PH_E_ABSENT;
	set_body(part, section_r);
	return 0;
}
