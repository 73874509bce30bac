/* The grammar's terminals and small rules (RFC 3501, 9). Each rule is quoted by the function that reads it.
 */
#include "parse.h"

#include "dates.h"
#include "utf7.h"

#define KEYWORDS_MAX 256

void parser_init(struct parser *parser, struct ph_str text, struct ph_pool *pool)
{
	*parser = (struct parser){ .at = text.data, .end = text.data + text.len, .pool = pool };
}

struct ph_str parser_rest(const struct parser *parser)
{
	return ph_str_of(parser->at, (size_t)(parser->end - parser->at));
}

bool parse_failed(struct parser *parser, const char *error)
{
	if (!parser->error)
		parser->error = error;
	return false;
}

void *parse_alloc(struct parser *parser, size_t count, size_t size)
{
	void *memory = ph_pool_array(parser->pool, count, size);

	if (!memory) {
		parser->exhausted = true;
		parse_failed(parser, "Command needs too much memory");
	}
	return memory;
}

/* atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials */
bool is_atom_char(char c)
{
	return is_astring_char(c) && c != ']';
}

/* ASTRING-CHAR = ATOM-CHAR / resp-specials */
bool is_astring_char(char c)
{
	if ((unsigned char)c <= ' ' || (unsigned char)c >= 0x7f)
		return false;
	switch (c) {
	case '(':
	case ')':
	case '{':
	case '%':
	case '*':
	case '"':
	case '\\':
		return false;
	default:
		return true;
	}
}

bool parse_at_end(const struct parser *parser)
{
	return parser->at == parser->end;
}

bool parse_end(struct parser *parser)
{
	return parse_at_end(parser) || parse_failed(parser, "Unexpected text behind the arguments");
}

char parse_look(const struct parser *parser)
{
	return parse_at_end(parser) ? '\0' : *parser->at;
}

bool parse_skip(struct parser *parser, char c)
{
	if (parse_at_end(parser) || *parser->at != c)
		return false;
	parser->at++;
	return true;
}

bool parse_space(struct parser *parser)
{
	if (parse_skip(parser, ' '))
		return true;
	return parse_failed(parser, parse_at_end(parser) ? "Missing argument" : "Expected a space");
}

bool parse_char(struct parser *parser, char c)
{
	if (parse_skip(parser, c))
		return true;
	switch (c) {
	case '(':
		return parse_failed(parser, "Expected \"(\"");
	case ')':
		return parse_failed(parser, "Expected \")\"");
	case '[':
		return parse_failed(parser, "Expected \"[\"");
	case ']':
		return parse_failed(parser, "Expected \"]\"");
	case '>':
		return parse_failed(parser, "Expected \">\"");
	default:
		return parse_failed(parser, "Unexpected character");
	}
}

bool parse_word(struct parser *parser, const char *word)
{
	struct ph_str rest = parser_rest(parser);
	struct ph_str wanted = ph_str(word);

	if (!ph_str_case_starts(rest, wanted))
		return false;
	if (rest.len > wanted.len && is_astring_char(rest.data[wanted.len]))
		return false;
	parser->at += wanted.len;
	return true;
}

static struct ph_str take_while(struct parser *parser, bool (*belongs)(char c))
{
	const char *start = parser->at;

	while (parser->at < parser->end && belongs(*parser->at))
		parser->at++;
	return ph_str_of(start, (size_t)(parser->at - start));
}

static bool is_tag_char(char c)
{
	return is_astring_char(c) && c != '+';
}

/* tag = 1*<any ASTRING-CHAR except "+"> */
bool parse_tag(struct parser *parser, struct ph_str *tag_r)
{
	*tag_r = take_while(parser, is_tag_char);
	if (tag_r->len == 0 || tag_r->len > TAG_MAX)
		return parse_failed(parser, "Invalid tag");
	return true;
}

/* atom = 1*ATOM-CHAR */
bool parse_atom(struct parser *parser, struct ph_str *atom_r)
{
	*atom_r = take_while(parser, is_atom_char);
	return atom_r->len > 0 || parse_failed(parser, "Expected an atom");
}

/* quoted = DQUOTE *QUOTED-CHAR DQUOTE
 * QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials */
static bool parse_quoted(struct parser *parser, struct ph_str *string_r)
{
	const char *start = ++parser->at;
	size_t escapes = 0;
	char *copy;
	size_t len = 0;

	for (; parser->at < parser->end && *parser->at != '"'; parser->at++) {
		if (*parser->at == '\r' || *parser->at == '\n')
			return parse_failed(parser, "Unfinished quoted string");
		if (*parser->at != '\\')
			continue;
		parser->at++;
		escapes++;
		if (parser->at == parser->end || (*parser->at != '"' && *parser->at != '\\'))
			return parse_failed(parser, "Invalid escape in a quoted string");
	}
	if (parser->at == parser->end)
		return parse_failed(parser, "Unfinished quoted string");
	*string_r = ph_str_of(start, (size_t)(parser->at - start));
	parser->at++;
	if (escapes == 0)
		return true;
	copy = parse_alloc(parser, string_r->len, 1);
	if (!copy)
		return false;
	for (size_t i = 0; i < string_r->len; i++) {
		if (string_r->data[i] == '\\')
			i++;
		copy[len++] = string_r->data[i];
	}
	*string_r = ph_str_of(copy, len);
	return true;
}

static bool is_digit(char c)
{
	return ph_is_digit(c);
}

/* literal = "{" number ["+"] "}" CRLF *CHAR8 */
static bool parse_literal(struct parser *parser, struct ph_str *string_r)
{
	struct ph_str digits;
	uint64_t size;

	parser->at++;
	digits = take_while(parser, is_digit);
	parse_skip(parser, '+');
	if (!ph_str_number(digits, UINT32_MAX, &size) || !parse_skip(parser, '}') ||
		!parse_skip(parser, '\r') || !parse_skip(parser, '\n'))
		return parse_failed(parser, "Invalid literal");
	if (size > (uint64_t)(parser->end - parser->at))
		return parse_failed(parser, "Unfinished literal");
	*string_r = ph_str_of(parser->at, (size_t)size);
	parser->at += size;
	if (ph_str_find(*string_r, '\0') >= 0)
		return parse_failed(parser, "NUL in a literal");
	return true;
}

/* string = quoted / literal */
bool parse_string(struct parser *parser, struct ph_str *string_r)
{
	switch (parse_look(parser)) {
	case '"':
		return parse_quoted(parser, string_r);
	case '{':
		return parse_literal(parser, string_r);
	default:
		return parse_failed(parser, "Expected a string");
	}
}

/* astring = 1*ASTRING-CHAR / string */
bool parse_astring(struct parser *parser, struct ph_str *string_r)
{
	char next = parse_look(parser);

	if (next == '"' || next == '{')
		return parse_string(parser, string_r);
	*string_r = take_while(parser, is_astring_char);
	return string_r->len > 0 || parse_failed(parser, "Expected an atom or a string");
}

/* nstring = string / nil */
bool parse_nstring(struct parser *parser, struct ph_str *string_r)
{
	if (parse_word(parser, "NIL")) {
		*string_r = (struct ph_str){ NULL, 0 };
		return true;
	}
	return parse_string(parser, string_r);
}

/* number = 1*DIGIT  ; unsigned 32-bit integer */
bool parse_number(struct parser *parser, uint32_t *number_r)
{
	uint64_t number;

	if (!ph_str_number(take_while(parser, is_digit), UINT32_MAX, &number))
		return parse_failed(parser, "Expected a number below 4294967296");
	*number_r = (uint32_t)number;
	return true;
}

/* nz-number = digit-nz *DIGIT */
bool parse_nz_number(struct parser *parser, uint32_t *number_r)
{
	if (parse_look(parser) == '0' || !parse_number(parser, number_r))
		return parse_failed(parser, "Expected a number from 1 to 4294967295");
	return true;
}

static bool decode_name(struct parser *parser, struct ph_str encoded, struct ph_str *name_r)
{
	char *room = parse_alloc(parser, utf7_decoded_max(encoded.len), 1);
	size_t len;

	if (!room)
		return false;
	if (!utf7_decode(encoded, room, &len)) {
		parser->cannot = true;
		return parse_failed(parser, "Mailbox name is not valid modified UTF-7");
	}
	*name_r = ph_str_of(room, len);
	return true;
}

/* mailbox = "INBOX" / astring  ; INBOX is case-insensitive */
bool parse_mailbox(struct parser *parser, struct ph_str *name_r)
{
	struct ph_str encoded;

	if (!parse_astring(parser, &encoded))
		return false;
	if (ph_str_case_eq(encoded, PH_STR("INBOX"))) {
		*name_r = PH_STR("INBOX");
		return true;
	}
	return decode_name(parser, encoded, name_r);
}

static bool is_list_char(char c)
{
	return is_astring_char(c) || c == '%' || c == '*';
}

/* list-mailbox = 1*list-char / string */
bool parse_list_mailbox(struct parser *parser, struct ph_str *pattern_r)
{
	char next = parse_look(parser);
	struct ph_str encoded;

	if (next == '"' || next == '{') {
		if (!parse_string(parser, &encoded))
			return false;
	} else {
		encoded = take_while(parser, is_list_char);
		if (encoded.len == 0)
			return parse_failed(parser, "Expected a mailbox pattern");
	}
	if (decode_name(parser, encoded, pattern_r))
		return true;
	if (!parser->cannot)
		return false;
	parser->cannot = false;
	parser->error = NULL;
	*pattern_r = (struct ph_str){ NULL, 0 };
	return true;
}

static const struct {
	const char *name;
	unsigned flag;
} system_flags[] = {
	{ "Seen", PH_FLAG_SEEN },
	{ "Answered", PH_FLAG_ANSWERED },
	{ "Flagged", PH_FLAG_FLAGGED },
	{ "Deleted", PH_FLAG_DELETED },
	{ "Draft", PH_FLAG_DRAFT },
	{ "Recent", 0 },
};

/* "\" atom: clients that store the flags they were shown send \Recent too; it is the server's, and passed
 * over. */
static bool parse_system_flag(struct parser *parser, unsigned *flags)
{
	struct ph_str name;

	parser->at++;
	if (!parse_atom(parser, &name))
		return false;
	for (size_t i = 0; i < sizeof(system_flags) / sizeof(*system_flags); i++) {
		if (ph_str_case_eq(name, ph_str(system_flags[i].name))) {
			*flags |= system_flags[i].flag;
			return true;
		}
	}
	return parse_failed(parser, "Unknown system flag");
}

/* flag-keyword = atom */
bool parse_keyword(struct parser *parser, struct ph_str *keyword_r)
{
	if (!parse_atom(parser, keyword_r))
		return false;
	if (keyword_r->len > PH_KEYWORD_MAX) {
		parser->cannot = true;
		return parse_failed(parser, "Keyword is too long");
	}
	return true;
}

static size_t count_flags(const struct parser *parser)
{
	size_t count = 1;

	for (const char *at = parser->at; at < parser->end && *at != ')' && count < KEYWORDS_MAX; at++)
		count += *at == ' ';
	return count;
}

/* flag-list = "(" [flag *(SP flag)] ")"; STORE also takes flag *(SP flag) */
bool parse_flag_list(struct parser *parser, bool bare, struct ph_flag_list *flags_r)
{
	bool parentheses = parse_skip(parser, '(');
	size_t max = count_flags(parser);
	struct ph_str *keywords = parse_alloc(parser, max, sizeof(*keywords));

	*flags_r = (struct ph_flag_list){ .keywords = keywords };
	if (!keywords)
		return false;
	if (!parentheses && !bare)
		return parse_failed(parser, "Expected a list of flags in parentheses");
	if (parentheses && parse_skip(parser, ')'))
		return true;
	do {
		if (parse_look(parser) == '\\') {
			if (!parse_system_flag(parser, &flags_r->flags))
				return false;
			continue;
		}
		if (flags_r->keyword_count == max)
			return parse_failed(parser, "Too many keywords");
		if (!parse_keyword(parser, &keywords[flags_r->keyword_count]))
			return false;
		flags_r->keyword_count++;
	} while (parse_skip(parser, ' '));
	return !parentheses || parse_char(parser, ')');
}

/* Exactly so many digits. */
static bool parse_digits(struct parser *parser, size_t count, int *number_r)
{
	struct ph_str digits = ph_str_slice(parser_rest(parser), 0, count);
	uint64_t number;

	if (digits.len != count || !ph_str_number(digits, 9999, &number))
		return false;
	parser->at += count;
	*number_r = (int)number;
	return true;
}

/* "-" date-month "-" date-year */
static bool parse_month_year(struct parser *parser, int *month_r, int *year_r)
{
	if (!parse_skip(parser, '-'))
		return false;
	*month_r = month_number(ph_str_slice(parser_rest(parser), 0, 3));
	if (*month_r == 0)
		return false;
	parser->at += 3;
	return parse_skip(parser, '-') && parse_digits(parser, 4, year_r);
}

/* date = date-text / DQUOTE date-text DQUOTE
 * date-text = date-day "-" date-month "-" date-year  ; date-day = 1*2DIGIT */
bool parse_date(struct parser *parser, int64_t *day_r)
{
	bool quoted = parse_skip(parser, '"');
	int day, month, year;

	if ((parse_digits(parser, 2, &day) || parse_digits(parser, 1, &day)) &&
		parse_month_year(parser, &month, &year) && day_is_valid(year, month, day) &&
		(!quoted || parse_skip(parser, '"'))) {
		*day_r = days_of_date(year, month, day);
		return true;
	}
	return parse_failed(parser, "Expected a date such as 1-Feb-1994");
}

/* time = 2DIGIT ":" 2DIGIT ":" 2DIGIT; seconds of the day */
static bool parse_time(struct parser *parser, int *seconds_r)
{
	int hours, minutes, seconds;

	if (!parse_digits(parser, 2, &hours) || !parse_skip(parser, ':') ||
		!parse_digits(parser, 2, &minutes) || !parse_skip(parser, ':') ||
		!parse_digits(parser, 2, &seconds))
		return false;
	*seconds_r = (hours * 60 + minutes) * 60 + seconds;
	return hours < 24 && minutes < 60 && seconds <= 60;
}

/* zone = ("+" / "-") 4DIGIT; minutes */
static bool parse_zone(struct parser *parser, int32_t *zone_r)
{
	bool west = parse_look(parser) == '-';
	int number;

	if (!parse_skip(parser, west ? '-' : '+') || !parse_digits(parser, 4, &number) ||
		number % 100 >= 60 || number >= 2400)
		return false;
	*zone_r = number / 100 * 60 + number % 100;
	if (west)
		*zone_r = -*zone_r;
	return true;
}

/* date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
 * date-day-fixed = (SP DIGIT) / 2DIGIT  ; a single digit alone is what some clients send */
bool parse_date_time(struct parser *parser, struct date_time *date_r)
{
	int day, month, year, seconds;

	if (parse_skip(parser, '"')) {
		parse_skip(parser, ' ');
		if ((parse_digits(parser, 2, &day) || parse_digits(parser, 1, &day)) &&
			parse_month_year(parser, &month, &year) && day_is_valid(year, month, day) &&
			parse_skip(parser, ' ') && parse_time(parser, &seconds) && parse_skip(parser, ' ') &&
			parse_zone(parser, &date_r->zone) && parse_skip(parser, '"')) {
			date_r->seconds =
				days_of_date(year, month, day) * 86400 + seconds - date_r->zone * 60;
			return true;
		}
	}
	return parse_failed(parser, "Expected a date and time such as \"17-Jul-1996 02:44:25 -0700\"");
}

static bool is_number(struct ph_str digits)
{
	size_t len = 0;

	while (len < digits.len && ph_is_digit(digits.data[len]))
		len++;
	return len > 0 && len == digits.len;
}

bool parse_literal_header(struct ph_str line, struct literal_header *header_r)
{
	ptrdiff_t brace = ph_str_rfind(line, '{');
	struct ph_str digits;

	if (brace < 0 || line.data[line.len - 1] != '}')
		return false;
	digits = ph_str_slice(line, (size_t)brace + 1, line.len - 1);
	header_r->synchronising = !ph_str_ends(digits, PH_STR("+"));
	if (!header_r->synchronising)
		digits.len--;
	/* What no number holds is merely far too large: it must not be taken for no literal at all. */
	if (!ph_str_number(digits, UINT64_MAX, &header_r->size))
		header_r->size = UINT64_MAX;
	return is_number(digits);
}
