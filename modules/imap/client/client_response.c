/* Reading the answers of servers. See client_response.h. */
#include "client_response.h"

#define KEYWORDS_MAX 256

static struct ph_str take_until(struct parser *parser, const char *ends)
{
	const char *start = parser->at;

	/* A NUL ends nothing. */
	while (parser->at < parser->end && !(*parser->at && strchr(ends, *parser->at)))
		parser->at++;
	return ph_str_of(start, (size_t)(parser->at - start));
}

/* --- conditions: "OK [CODE argument] text" --- */

static bool take_condition(struct parser *parser, enum response_condition *condition_r)
{
	static const char *const names[] = { "OK", "NO", "BAD", "BYE", "PREAUTH" };

	for (int i = 0; i < 5; i++) {
		if (!parse_word(parser, names[i]))
			continue;
		*condition_r = (enum response_condition)i;
		return true;
	}
	return false;
}

static void take_text(struct parser *parser, struct response *response)
{
	parse_skip(parser, ' ');
	if (parse_skip(parser, '[')) {
		response->code = take_until(parser, " ]");
		parse_skip(parser, ' ');
		response->code_argument = take_until(parser, "]");
		parse_skip(parser, ']');
		parse_skip(parser, ' ');
	}
	response->text = parser_rest(parser);
}

/* --- values that nobody asked for --- */

/* A list, a string or a word, whatever it means. */
static bool skip_value(struct parser *parser)
{
	struct ph_str unused;
	size_t depth = 0;

	do {
		if (parse_skip(parser, '(')) {
			depth++;
		} else if (depth > 0 && parse_skip(parser, ')')) {
			depth--;
		} else if (parse_look(parser) == '"' || parse_look(parser) == '{') {
			if (!parse_string(parser, &unused))
				return false;
		} else if (take_until(parser, " ()\"{").len == 0) {
			return parse_failed(parser, "Expected a value");
		}
		while (depth > 0 && parse_skip(parser, ' '))
			;
	} while (depth > 0);
	return true;
}

/* --- LIST and LSUB: "(attributes) delimiter name" --- */

static void take_attribute(struct ph_str name, struct response_list *list)
{
	static const struct {
		struct ph_str name;
		unsigned attribute, use;
	} known[] = {
		{ PH_STR_INIT("\\Noselect"), ATTRIBUTE_NO_SELECT, 0 },
		{ PH_STR_INIT("\\NonExistent"), ATTRIBUTE_NO_SELECT, 0 },
		{ PH_STR_INIT("\\Subscribed"), ATTRIBUTE_SUBSCRIBED, 0 },
		{ PH_STR_INIT("\\All"), 0, PH_USE_ALL },
		{ PH_STR_INIT("\\Archive"), 0, PH_USE_ARCHIVE },
		{ PH_STR_INIT("\\Drafts"), 0, PH_USE_DRAFTS },
		{ PH_STR_INIT("\\Flagged"), 0, PH_USE_FLAGGED },
		{ PH_STR_INIT("\\Junk"), 0, PH_USE_JUNK },
		{ PH_STR_INIT("\\Sent"), 0, PH_USE_SENT },
		{ PH_STR_INIT("\\Trash"), 0, PH_USE_TRASH },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (!ph_str_case_eq(name, known[i].name))
			continue;
		list->attributes |= known[i].attribute;
		list->special_use |= known[i].use;
	}
}

static bool take_delimiter(struct parser *parser, char *delimiter_r)
{
	struct ph_str delimiter;

	if (!parse_nstring(parser, &delimiter) || delimiter.len > 1)
		return parse_failed(parser, "Expected a delimiter");
	*delimiter_r = delimiter.len == 1 ? delimiter.data[0] : '\0';
	return true;
}

static bool take_list(struct parser *parser, struct response *response)
{
	struct response_list *list = &response->list;

	response->kind = RESPONSE_LIST;
	if (!parse_space(parser) || !parse_char(parser, '('))
		return false;
	while (!parse_skip(parser, ')')) {
		struct ph_str name = take_until(parser, " ()\"{");

		if (name.len == 0)
			return false;
		take_attribute(name, list);
		parse_skip(parser, ' ');
	}
	if (!parse_space(parser) || !take_delimiter(parser, &list->delimiter) || !parse_space(parser))
		return false;
	if (parse_look(parser) == '"' || parse_look(parser) == '{')
		return parse_string(parser, &list->name);
	/* Some send bare names with anything in them. */
	list->name = parser_rest(parser);
	return list->name.len > 0;
}

/* --- NAMESPACE: three times NIL or "((prefix delimiter extensions) ...)" (RFC 2342) --- */

static bool take_namespaces(struct parser *parser, bool personal, struct response_namespace ***end)
{
	if (!parse_space(parser))
		return false;
	if (parse_word(parser, "NIL"))
		return true;
	if (!parse_char(parser, '('))
		return false;
	while (!parse_skip(parser, ')')) {
		struct response_namespace *space = parse_alloc(parser, 1, sizeof(*space));

		if (!space || !parse_char(parser, '(') || !parse_string(parser, &space->prefix) ||
			!parse_space(parser) || !take_delimiter(parser, &space->delimiter))
			return false;
		while (parse_skip(parser, ' ')) {
			if (!skip_value(parser))
				return false;
		}
		if (!parse_char(parser, ')'))
			return false;
		space->personal = personal;
		**end = space;
		*end = &space->next;
		parse_skip(parser, ' ');
	}
	return true;
}

static bool take_namespace(struct parser *parser, struct response *response)
{
	struct response_namespace **end = &response->namespaces;

	response->kind = RESPONSE_NAMESPACE;
	return take_namespaces(parser, true, &end) && take_namespaces(parser, false, &end) &&
	       take_namespaces(parser, false, &end);
}

/* --- FETCH: "(name value name value ...)" --- */

static bool is_keyword(struct ph_str name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (!is_atom_char(name.data[i]))
			return false;
	}
	return name.len > 0 && name.len <= PH_KEYWORD_MAX;
}

static void take_flag(struct ph_str name, struct ph_str *keywords, struct response_fetch *fetch)
{
	static const struct {
		struct ph_str name;
		unsigned flag;
	} known[] = {
		{ PH_STR_INIT("\\Seen"), PH_FLAG_SEEN },
		{ PH_STR_INIT("\\Answered"), PH_FLAG_ANSWERED },
		{ PH_STR_INIT("\\Flagged"), PH_FLAG_FLAGGED },
		{ PH_STR_INIT("\\Deleted"), PH_FLAG_DELETED },
		{ PH_STR_INIT("\\Draft"), PH_FLAG_DRAFT },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (ph_str_case_eq(name, known[i].name)) {
			fetch->flags.flags |= known[i].flag;
			return;
		}
	}
	if (ph_str_case_eq(name, PH_STR("\\Recent")))
		fetch->recent = true;
	else if (is_keyword(name) && fetch->flags.keyword_count < KEYWORDS_MAX)
		keywords[fetch->flags.keyword_count++] = name;
	else
		fetch->lost = name;
}

static bool take_flags(struct parser *parser, struct response_fetch *fetch)
{
	struct ph_str *keywords = parse_alloc(parser, KEYWORDS_MAX, sizeof(*keywords));

	if (!keywords || !parse_char(parser, '('))
		return false;
	fetch->flags = (struct ph_flag_list){ .keywords = keywords };
	fetch->has_flags = true;
	while (!parse_skip(parser, ')')) {
		struct ph_str name = take_until(parser, " )");

		if (parse_at_end(parser))
			return false;
		if (name.len > 0)
			take_flag(name, keywords, fetch);
		parse_skip(parser, ' ');
	}
	return true;
}

static bool take_uid(struct parser *parser, struct response_fetch *fetch)
{
	return parse_nz_number(parser, &fetch->uid);
}

static bool take_date(struct parser *parser, struct response_fetch *fetch)
{
	return fetch->has_date = parse_date_time(parser, &fetch->date);
}

static bool take_size(struct parser *parser, struct response_fetch *fetch)
{
	return ph_str_number(take_until(parser, " )"), UINT64_MAX, &fetch->size);
}

static bool take_body(struct parser *parser, struct response_fetch *fetch)
{
	return fetch->has_body = parse_nstring(parser, &fetch->body);
}

/* "BODY[HEADER.FIELDS (A B)]<0>" is one name. */
static struct ph_str take_item_name(struct parser *parser)
{
	const char *start = parser->at;

	take_until(parser, " ()[");
	if (parse_skip(parser, '[')) {
		take_until(parser, "]");
		take_until(parser, " ()");
	}
	return ph_str_of(start, (size_t)(parser->at - start));
}

static bool take_item(struct parser *parser, struct response_fetch *fetch)
{
	static const struct {
		struct ph_str name;
		bool (*take)(struct parser *parser, struct response_fetch *fetch);
	} items[] = {
		{ PH_STR_INIT("UID"), take_uid },
		{ PH_STR_INIT("FLAGS"), take_flags },
		{ PH_STR_INIT("INTERNALDATE"), take_date },
		{ PH_STR_INIT("RFC822.SIZE"), take_size },
		{ PH_STR_INIT("BODY[]"), take_body },
	};
	struct ph_str name = take_item_name(parser);

	if (name.len == 0 || !parse_space(parser))
		return false;
	for (size_t i = 0; i < sizeof(items) / sizeof(*items); i++) {
		if (ph_str_case_eq(name, items[i].name))
			return items[i].take(parser, fetch);
	}
	return skip_value(parser);
}

static bool take_fetch(struct parser *parser, struct response *response)
{
	response->kind = RESPONSE_FETCH;
	if (!parse_space(parser) || !parse_char(parser, '('))
		return false;
	while (!parse_skip(parser, ')')) {
		if (!take_item(parser, &response->fetch))
			return false;
		parse_skip(parser, ' ');
	}
	return true;
}

/* --- all of them --- */

static bool take_exists(struct parser *parser, struct response *response)
{
	(void)parser;
	response->kind = RESPONSE_EXISTS;
	return true;
}

static bool take_capability(struct parser *parser, struct response *response)
{
	response->kind = RESPONSE_CAPABILITY;
	response->text = parser_rest(parser);
	return true;
}

static const struct kind {
	const char *name;
	bool (*take)(struct parser *parser, struct response *response);
} kinds[] = { { "CAPABILITY", take_capability }, { "LIST", take_list }, { "LSUB", take_list },
	{ "NAMESPACE", take_namespace } },
  numbered[] = { { "EXISTS", take_exists }, { "FETCH", take_fetch } };

static void take_kind(
	struct parser *parser, const struct kind *table, size_t count, struct response *response)
{
	for (size_t i = 0; i < count; i++) {
		if (!parse_word(parser, table[i].name))
			continue;
		if (!table[i].take(parser, response))
			response->kind = RESPONSE_BROKEN;
		return;
	}
}

static void take_untagged(struct parser *parser, struct response *response)
{
	response->kind = RESPONSE_OTHER;
	response->text = parser_rest(parser);
	if (take_condition(parser, &response->condition)) {
		response->kind = RESPONSE_CONDITION;
		take_text(parser, response);
	} else if (!ph_is_digit(parse_look(parser))) {
		take_kind(parser, kinds, sizeof(kinds) / sizeof(*kinds), response);
	} else if (parse_number(parser, &response->number) && parse_skip(parser, ' ')) {
		take_kind(parser, numbered, sizeof(numbered) / sizeof(*numbered), response);
	}
}

bool response_parse(struct ph_str text, struct ph_pool *pool, struct response *response_r)
{
	struct parser parser;

	*response_r = (struct response){ .kind = RESPONSE_TAGGED };
	parser_init(&parser, text, pool);
	if (parse_skip(&parser, '+')) {
		response_r->kind = RESPONSE_CONTINUE;
		return true;
	}
	if (parse_skip(&parser, '*')) {
		if (!parse_skip(&parser, ' '))
			return false;
		take_untagged(&parser, response_r);
		return true;
	}
	if (!parse_tag(&parser, &response_r->tag) || !parse_skip(&parser, ' ') ||
		!take_condition(&parser, &response_r->condition) || response_r->condition > CONDITION_BAD)
		return false;
	take_text(&parser, response_r);
	return true;
}
