/* fetch-att and the macros. A section keeps its label ready to be sent, since every message's response
 * repeats it. */
#include "fetch_items.h"

#include "print.h"

#define SECTIONS_MAX 1000
#define LABEL_MAX 65536

static const struct {
	const char *word;
	unsigned items;
} plain_items[] = {
	{ "UID", FETCH_UID },
	{ "FLAGS", FETCH_FLAGS },
	{ "INTERNALDATE", FETCH_INTERNALDATE },
	{ "RFC822.SIZE", FETCH_SIZE },
	{ "ENVELOPE", FETCH_ENVELOPE },
	{ "BODY", FETCH_BODY },
	{ "BODYSTRUCTURE", FETCH_BODYSTRUCTURE },
	{ "EMAILID", FETCH_EMAILID },
	{ "THREADID", FETCH_THREADID },
	{ "SAVEDATE", FETCH_SAVEDATE },
};

static const struct {
	const char *word;
	enum fetch_section_kind kind;
	bool sets_seen;
} section_items[] = {
	{ "BODY[", SECTION_BODY, true },
	{ "BODY.PEEK[", SECTION_BODY, false },
	{ "BINARY[", SECTION_BINARY, true },
	{ "BINARY.PEEK[", SECTION_BINARY, false },
	{ "BINARY.SIZE[", SECTION_BINARY_SIZE, false },
};

/* As the response names them. */
static const char *const section_words[] = {
	[SECTION_BODY] = "BODY",
	[SECTION_BINARY] = "BINARY",
	[SECTION_BINARY_SIZE] = "BINARY.SIZE",
};

static const struct {
	const char *word;
	unsigned items;
} macros[] = {
	{ "FAST", FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE },
	{ "ALL", FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE | FETCH_ENVELOPE },
	{ "FULL", FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE | FETCH_ENVELOPE | FETCH_BODY },
};

static const struct {
	const char *word;
	const char *section;
	bool sets_seen;
} rfc822_items[] = {
	{ "RFC822", "", true },
	{ "RFC822.HEADER", "HEADER", false },
	{ "RFC822.TEXT", "TEXT", true },
};

static struct fetch_section *add_section(struct parser *parser, struct fetch *fetch)
{
	struct fetch_section **end = &fetch->sections;
	unsigned count = 0;

	while (*end) {
		end = &(*end)->next;
		count++;
	}
	if (count == SECTIONS_MAX) {
		parse_failed(parser, "Too many sections");
		return NULL;
	}
	*end = parse_alloc(parser, 1, sizeof(**end));
	return *end;
}

/* header-list = "(" header-fld-name *(SP header-fld-name) ")" */
static bool parse_header_list(struct parser *parser, struct fetch_section *section)
{
	size_t max = 1;
	struct ph_str *names;

	for (const char *at = parser->at; at < parser->end && *at != ')'; at++)
		max += *at == ' ';
	names = parse_alloc(parser, max, sizeof(*names));
	if (!names || !parse_space(parser) || !parse_char(parser, '('))
		return false;
	do {
		if (section->name_count == max || !parse_astring(parser, &names[section->name_count]))
			return parse_failed(parser, "Invalid list of header fields");
		section->name_count++;
	} while (parse_skip(parser, ' '));
	section->names = names;
	return parse_char(parser, ')');
}

/* section-part = nz-number *("." nz-number); returns what follows it in the section's text. */
static struct ph_str behind_part(struct ph_str text)
{
	struct ph_str rest = text;
	struct ph_str piece;
	uint64_t number;

	while (rest.len > 0) {
		struct ph_str before = rest;
		bool last = ph_str_find(rest, '.') < 0;
		ph_str_split(&rest, '.', &piece);
		if (!ph_str_number(piece, UINT32_MAX, &number) || number == 0)
			return before;
		if (last)
			return (struct ph_str){ text.data + text.len, 0 };
	}
	return rest;
}

/* section-spec = section-msgtext / (section-part ["." section-text])
 * section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
 * section-text = section-msgtext / "MIME" */
static bool parse_section_spec(struct parser *parser, struct fetch_section *section)
{
	const char *start = parser->at;
	struct ph_str text, tail;

	while (parser->at < parser->end && *parser->at != ']' && *parser->at != ' ')
		parser->at++;
	text = ph_str_of(start, (size_t)(parser->at - start));
	tail = behind_part(text);
	section->name = text;
	if (ph_str_case_eq(tail, PH_STR("HEADER")) || ph_str_case_eq(tail, PH_STR("TEXT")))
		return true;
	if (tail.len == 0)
		return !ph_str_ends(text, PH_STR(".")) || parse_failed(parser, "Invalid section");
	if (ph_str_case_eq(tail, PH_STR("MIME")))
		return tail.len < text.len || parse_failed(parser, "Invalid section");
	section->fields = true;
	section->except = ph_str_case_eq(tail, PH_STR("HEADER.FIELDS.NOT"));
	if (!section->except && !ph_str_case_eq(tail, PH_STR("HEADER.FIELDS")))
		return parse_failed(parser, "Invalid section");
	section->name.len = text.len - tail.len + strlen("HEADER");
	return parse_header_list(parser, section);
}

/* ["<" number "." nz-number ">"] */
static bool parse_partial(struct parser *parser, struct fetch_section *section)
{
	section->partial = parse_skip(parser, '<');
	if (!section->partial)
		return true;
	if (!parse_number(parser, &section->partial_offset))
		return false;
	if (!parse_skip(parser, '.'))
		return parse_failed(parser, "Expected \".\" and a number in the partial range");
	return parse_nz_number(parser, &section->partial_size) && parse_char(parser, '>');
}

/* section-binary = "[" [section-part] "]" */
static bool parse_binary_spec(struct parser *parser, struct fetch_section *section)
{
	const char *start = parser->at;

	while (parser->at < parser->end && *parser->at != ']')
		parser->at++;
	section->name = ph_str_of(start, (size_t)(parser->at - start));
	return (behind_part(section->name).len == 0 && !ph_str_ends(section->name, PH_STR("."))) ||
	       parse_failed(parser, "Expected the number of a part");
}

static void add_upper(struct ph_buf *buf, struct ph_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char lower = ph_lower(s.data[i]);
		ph_buf_add_char(buf, lower >= 'a' && lower <= 'z' ? (char)(lower - 'a' + 'A') : lower);
	}
}

static void print_label(struct ph_buf *buf, const struct fetch_section *section)
{
	ph_buf_add_text(buf, section_words[section->kind]);
	ph_buf_add_char(buf, '[');
	add_upper(buf, section->name);
	if (section->fields) {
		ph_buf_add_text(buf, section->except ? ".FIELDS.NOT (" : ".FIELDS (");
		for (size_t i = 0; i < section->name_count; i++) {
			if (i > 0)
				ph_buf_add_char(buf, ' ');
			print_astring(buf, section->names[i]);
		}
		ph_buf_add_char(buf, ')');
	}
	ph_buf_add_char(buf, ']');
	if (section->partial)
		ph_buf_printf(buf, "<%u>", (unsigned)section->partial_offset);
}

static bool make_label(struct parser *parser, struct fetch_section *section)
{
	struct ph_buf buf;

	ph_buf_init(&buf, LABEL_MAX);
	print_label(&buf, section);
	if (!buf.failed)
		section->label = ph_pool_str(parser->pool, ph_buf_str(&buf));
	ph_buf_free(&buf);
	return section->label.data || parse_failed(parser, "Section is too long");
}

/* Behind the item's name: section = "[" [section-spec] "]" or section-binary, and a partial range where there
 * can be one. */
static bool parse_section(struct parser *parser, struct fetch *fetch, enum fetch_section_kind kind)
{
	struct fetch_section *section = add_section(parser, fetch);

	if (!section || !parse_char(parser, '['))
		return false;
	section->kind = kind;
	if (!(kind == SECTION_BODY ? parse_section_spec : parse_binary_spec)(parser, section) ||
		!parse_char(parser, ']'))
		return false;
	if (kind != SECTION_BINARY_SIZE && !parse_partial(parser, section))
		return false;
	return make_label(parser, section);
}

static bool parse_rfc822(struct parser *parser, struct fetch *fetch, size_t which)
{
	struct fetch_section *section = add_section(parser, fetch);

	if (!section)
		return false;
	section->label = ph_str(rfc822_items[which].word);
	section->name = ph_str(rfc822_items[which].section);
	if (rfc822_items[which].sets_seen)
		fetch->sets_seen = true;
	return true;
}

/* "PREVIEW" [SP "(" "LAZY" ")"] (RFC 8970, 6). Previews are stored: nothing need be left for later. */
static bool parse_preview_modifier(struct parser *parser)
{
	if (!ph_str_starts(parser_rest(parser), PH_STR(" (")))
		return true;
	parser->at += strlen(" (");
	return (parse_word(parser, "LAZY") && parse_char(parser, ')')) ||
	       parse_failed(parser, "Unknown modifier of PREVIEW");
}

static bool parse_section_item(struct parser *parser, struct fetch *fetch)
{
	for (size_t i = 0; i < sizeof(section_items) / sizeof(*section_items); i++) {
		struct ph_str word = ph_str(section_items[i].word);

		if (!ph_str_case_starts(parser_rest(parser), word))
			continue;
		/* The bracket is left. */
		parser->at += word.len - 1;
		fetch->sets_seen |= section_items[i].sets_seen;
		return parse_section(parser, fetch, section_items[i].kind);
	}
	return parse_failed(parser, "Unknown FETCH item");
}

/* fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
 *   "BODY" ["STRUCTURE"] / "UID" / "BODY" section ["<" number "." nz-number ">"] /
 *   "BODY.PEEK" section ["<" number "." nz-number ">"] / "BINARY" [".PEEK"] section-binary [partial] /
 *   "BINARY.SIZE" section-binary / "PREVIEW" [SP "(" preview-mod ")"] / "SAVEDATE" */
static bool parse_fetch_att(struct parser *parser, struct fetch *fetch)
{
	for (size_t i = 0; i < sizeof(plain_items) / sizeof(*plain_items); i++) {
		if (parse_word(parser, plain_items[i].word)) {
			fetch->items |= plain_items[i].items;
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(rfc822_items) / sizeof(*rfc822_items); i++) {
		if (parse_word(parser, rfc822_items[i].word))
			return parse_rfc822(parser, fetch, i);
	}
	if (parse_word(parser, "PREVIEW")) {
		fetch->items |= FETCH_PREVIEW;
		return parse_preview_modifier(parser);
	}
	return parse_section_item(parser, fetch);
}

/* ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")") */
bool parse_fetch(struct parser *parser, struct fetch *fetch_r)
{
	*fetch_r = (struct fetch){ 0 };
	for (size_t i = 0; i < sizeof(macros) / sizeof(*macros); i++) {
		if (parse_word(parser, macros[i].word)) {
			fetch_r->items = macros[i].items;
			return true;
		}
	}
	if (!parse_skip(parser, '('))
		return parse_fetch_att(parser, fetch_r);
	do {
		if (!parse_fetch_att(parser, fetch_r))
			return false;
	} while (parse_skip(parser, ' '));
	return parse_char(parser, ')');
}
