/* search-key, rule by rule. Every list of keys is put in the order of what they cost, so that a message is
 * opened only when nothing cheaper decides. */
#include "search_keys.h"

struct key_parser {
	struct parser *parser;
	unsigned depth;
	unsigned count;
};

static bool parse_key(struct key_parser *keys, struct search_key **key_r);

/* Keys that are a word alone: flags with a value, or a type. */
static const struct {
	const char *word;
	enum search_type type;
	unsigned flag;
	bool negated;
} plain_keys[] = {
	{ "ALL", SEARCH_ALL, 0, false },
	{ "SAVEDATESUPPORTED", SEARCH_ALL, 0, false },
	{ "ANSWERED", SEARCH_FLAG, PH_FLAG_ANSWERED, false },
	{ "DELETED", SEARCH_FLAG, PH_FLAG_DELETED, false },
	{ "DRAFT", SEARCH_FLAG, PH_FLAG_DRAFT, false },
	{ "FLAGGED", SEARCH_FLAG, PH_FLAG_FLAGGED, false },
	{ "SEEN", SEARCH_FLAG, PH_FLAG_SEEN, false },
	{ "UNANSWERED", SEARCH_FLAG, PH_FLAG_ANSWERED, true },
	{ "UNDELETED", SEARCH_FLAG, PH_FLAG_DELETED, true },
	{ "UNDRAFT", SEARCH_FLAG, PH_FLAG_DRAFT, true },
	{ "UNFLAGGED", SEARCH_FLAG, PH_FLAG_FLAGGED, true },
	{ "UNSEEN", SEARCH_FLAG, PH_FLAG_SEEN, true },
	{ "RECENT", SEARCH_RECENT, 0, false },
	{ "OLD", SEARCH_RECENT, 0, true },
};

enum argument {
	ARGUMENT_KEYWORD,
	ARGUMENT_NUMBER,
	ARGUMENT_DATE,
	ARGUMENT_STRING,
	ARGUMENT_UIDS,
	ARGUMENT_OBJECT
};

/* Keys with one argument. `header` is the field a key stands for. */
static const struct {
	const char *word;
	enum search_type type;
	enum search_cost cost;
	enum argument argument;
	bool negated;
	const char *header;
} argument_keys[] = {
	{ "KEYWORD", SEARCH_KEYWORD, COST_RECORD, ARGUMENT_KEYWORD, false, NULL },
	{ "UNKEYWORD", SEARCH_KEYWORD, COST_RECORD, ARGUMENT_KEYWORD, true, NULL },
	{ "LARGER", SEARCH_LARGER, COST_RECORD, ARGUMENT_NUMBER, false, NULL },
	{ "SMALLER", SEARCH_SMALLER, COST_RECORD, ARGUMENT_NUMBER, false, NULL },
	{ "BEFORE", SEARCH_BEFORE, COST_RECORD, ARGUMENT_DATE, false, NULL },
	{ "ON", SEARCH_ON, COST_RECORD, ARGUMENT_DATE, false, NULL },
	{ "SINCE", SEARCH_SINCE, COST_RECORD, ARGUMENT_DATE, false, NULL },
	{ "SAVEDBEFORE", SEARCH_SAVEDBEFORE, COST_RECORD, ARGUMENT_DATE, false, NULL },
	{ "SAVEDON", SEARCH_SAVEDON, COST_RECORD, ARGUMENT_DATE, false, NULL },
	{ "SAVEDSINCE", SEARCH_SAVEDSINCE, COST_RECORD, ARGUMENT_DATE, false, NULL },
	{ "UID", SEARCH_UID, COST_RECORD, ARGUMENT_UIDS, false, NULL },
	{ "EMAILID", SEARCH_EMAILID, COST_RECORD, ARGUMENT_OBJECT, false, NULL },
	{ "THREADID", SEARCH_THREADID, COST_RECORD, ARGUMENT_OBJECT, false, NULL },
	{ "SENTBEFORE", SEARCH_SENTBEFORE, COST_SUMMARY, ARGUMENT_DATE, false, NULL },
	{ "SENTON", SEARCH_SENTON, COST_SUMMARY, ARGUMENT_DATE, false, NULL },
	{ "SENTSINCE", SEARCH_SENTSINCE, COST_SUMMARY, ARGUMENT_DATE, false, NULL },
	{ "BCC", SEARCH_HEADER, COST_SUMMARY, ARGUMENT_STRING, false, "Bcc" },
	{ "CC", SEARCH_HEADER, COST_SUMMARY, ARGUMENT_STRING, false, "Cc" },
	{ "FROM", SEARCH_HEADER, COST_SUMMARY, ARGUMENT_STRING, false, "From" },
	{ "SUBJECT", SEARCH_HEADER, COST_SUMMARY, ARGUMENT_STRING, false, "Subject" },
	{ "TO", SEARCH_HEADER, COST_SUMMARY, ARGUMENT_STRING, false, "To" },
	{ "BODY", SEARCH_BODY, COST_MESSAGE, ARGUMENT_STRING, false, NULL },
	{ "TEXT", SEARCH_TEXT, COST_MESSAGE, ARGUMENT_STRING, false, NULL },
};

static struct search_key *new_key(struct key_parser *keys, enum search_type type)
{
	struct search_key *key;

	if (++keys->count > SEARCH_KEYS_MAX) {
		parse_failed(keys->parser, "Too many search keys");
		return NULL;
	}
	key = parse_alloc(keys->parser, 1, sizeof(*key));
	if (key)
		key->type = type;
	return key;
}

/* Puts the key behind those that cost no more. */
static void add_child(struct search_key *parent, struct search_key *key)
{
	struct search_key **place = &parent->children;

	while (*place && (*place)->cost <= key->cost)
		place = &(*place)->next;
	key->next = *place;
	*place = key;
	if (key->cost > parent->cost)
		parent->cost = key->cost;
}

/* search-key *(SP search-key) */
static bool parse_keys(struct key_parser *keys, struct search_key *parent)
{
	struct search_key *key;

	do {
		if (!parse_key(keys, &key))
			return false;
		add_child(parent, key);
	} while (parse_skip(keys->parser, ' '));
	return true;
}

/* "NOT" SP search-key */
static bool parse_not(struct key_parser *keys, struct search_key **key_r)
{
	if (!parse_space(keys->parser) || !parse_key(keys, key_r))
		return false;
	(*key_r)->negated = !(*key_r)->negated;
	return true;
}

/* "OR" SP search-key SP search-key */
static bool parse_or(struct key_parser *keys, struct search_key **key_r)
{
	struct search_key *child;

	*key_r = new_key(keys, SEARCH_OR);
	if (!*key_r)
		return false;
	for (int i = 0; i < 2; i++) {
		if (!parse_space(keys->parser) || !parse_key(keys, &child))
			return false;
		add_child(*key_r, child);
	}
	return true;
}

/* "(" search-key *(SP search-key) ")" */
static bool parse_group(struct key_parser *keys, struct search_key **key_r)
{
	*key_r = new_key(keys, SEARCH_AND);
	return *key_r && parse_keys(keys, *key_r) && parse_char(keys->parser, ')');
}

static bool is_summarised(struct ph_str name)
{
	static const char *const names[] = { "From", "To", "Cc", "Bcc", "Subject", "Message-ID" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (ph_str_case_eq(name, ph_str(names[i])))
			return true;
	}
	return false;
}

/* "HEADER" SP header-fld-name SP astring; an empty string asks whether there is such a field */
static bool parse_header(struct key_parser *keys, struct search_key **key_r)
{
	struct search_key *key = *key_r = new_key(keys, SEARCH_HEADER);

	if (!key || !parse_space(keys->parser) || !parse_astring(keys->parser, &key->name) ||
		!parse_space(keys->parser) || !parse_astring(keys->parser, &key->text))
		return false;
	key->cost = is_summarised(key->name) && key->text.len > 0 ? COST_SUMMARY : COST_HEADER;
	return true;
}

/* "NEW": functionally equivalent to "(RECENT UNSEEN)" */
static bool make_new(struct key_parser *keys, struct search_key **key_r)
{
	struct search_key *recent = new_key(keys, SEARCH_RECENT);
	struct search_key *unseen = new_key(keys, SEARCH_FLAG);

	*key_r = new_key(keys, SEARCH_AND);
	if (!recent || !unseen || !*key_r)
		return false;
	unseen->flag = PH_FLAG_SEEN;
	unseen->negated = true;
	add_child(*key_r, recent);
	add_child(*key_r, unseen);
	return true;
}

static bool parse_sequence_key(struct key_parser *keys, struct search_key **key_r)
{
	*key_r = new_key(keys, SEARCH_SEQUENCE);
	return *key_r && parse_sequence_set(keys->parser, &(*key_r)->set);
}

/* objectid = 1*255(ALPHA / DIGIT / "_" / "-") (RFC 8474, 7) */
static bool parse_object_id(struct parser *parser, struct ph_str *id_r)
{
	if (!parse_astring(parser, id_r))
		return false;
	for (size_t i = 0; i < id_r->len; i++) {
		char c = id_r->data[i];

		if (!ph_is_alpha(c) && !ph_is_digit(c) && c != '_' && c != '-')
			return parse_failed(parser, "Invalid object id");
	}
	return (id_r->len > 0 && id_r->len <= 255) || parse_failed(parser, "Invalid object id");
}

static bool parse_argument(struct parser *parser, enum argument argument, struct search_key *key)
{
	if (!parse_space(parser))
		return false;
	switch (argument) {
	case ARGUMENT_KEYWORD:
		return parse_keyword(parser, &key->text);
	case ARGUMENT_NUMBER:
		return parse_number(parser, &key->number);
	case ARGUMENT_DATE:
		return parse_date(parser, &key->day);
	case ARGUMENT_OBJECT:
		return parse_object_id(parser, &key->text);
	case ARGUMENT_UIDS:
		return parse_sequence_set(parser, &key->set);
	default:
		return parse_astring(parser, &key->text);
	}
}

static bool parse_argument_key(struct key_parser *keys, size_t which, struct search_key **key_r)
{
	struct search_key *key = *key_r = new_key(keys, argument_keys[which].type);

	if (!key)
		return false;
	key->cost = argument_keys[which].cost;
	key->negated = argument_keys[which].negated;
	if (argument_keys[which].header)
		key->name = ph_str(argument_keys[which].header);
	if (!parse_argument(keys->parser, argument_keys[which].argument, key))
		return false;
	/* Whether a field is there at all, the summary does not tell. */
	if (key->type == SEARCH_HEADER && key->text.len == 0)
		key->cost = COST_HEADER;
	return true;
}

static bool parse_named_key(struct key_parser *keys, struct search_key **key_r)
{
	for (size_t i = 0; i < sizeof(plain_keys) / sizeof(*plain_keys); i++) {
		if (!parse_word(keys->parser, plain_keys[i].word))
			continue;
		*key_r = new_key(keys, plain_keys[i].type);
		if (!*key_r)
			return false;
		(*key_r)->flag = plain_keys[i].flag;
		(*key_r)->negated = plain_keys[i].negated;
		return true;
	}
	for (size_t i = 0; i < sizeof(argument_keys) / sizeof(*argument_keys); i++) {
		if (parse_word(keys->parser, argument_keys[i].word))
			return parse_argument_key(keys, i, key_r);
	}
	return parse_failed(keys->parser, "Unknown search key");
}

static bool parse_any_key(struct key_parser *keys, struct search_key **key_r)
{
	struct parser *parser = keys->parser;
	char next = parse_look(parser);

	if (ph_is_digit(next) || next == '*')
		return parse_sequence_key(keys, key_r);
	if (parse_skip(parser, '('))
		return parse_group(keys, key_r);
	if (parse_word(parser, "NOT"))
		return parse_not(keys, key_r);
	if (parse_word(parser, "OR"))
		return parse_or(keys, key_r);
	if (parse_word(parser, "NEW"))
		return make_new(keys, key_r);
	if (parse_word(parser, "HEADER"))
		return parse_header(keys, key_r);
	return parse_named_key(keys, key_r);
}

static bool parse_key(struct key_parser *keys, struct search_key **key_r)
{
	bool parsed;

	if (keys->depth == SEARCH_DEPTH_MAX)
		return parse_failed(keys->parser, "Search keys are nested too deeply");
	keys->depth++;
	parsed = parse_any_key(keys, key_r);
	keys->depth--;
	return parsed;
}

/* search = "SEARCH" [SP "CHARSET" SP astring] 1*(SP search-key) */
bool parse_search(struct parser *parser, struct search *search_r)
{
	struct key_parser keys = { .parser = parser };

	*search_r = (struct search){ .root = new_key(&keys, SEARCH_AND) };
	if (!search_r->root)
		return false;
	if (parse_word(parser, "CHARSET") &&
		(!parse_space(parser) || !parse_astring(parser, &search_r->charset) || !parse_space(parser)))
		return false;
	return parse_keys(&keys, search_r->root);
}

bool search_charset_is_known(struct ph_str charset)
{
	return charset.len == 0 || ph_str_case_eq(charset, PH_STR("US-ASCII")) ||
	       ph_str_case_eq(charset, PH_STR("UTF-8"));
}
