/* The module imap: the items of FETCH and the keys of SEARCH, read into trees and printed back. */
#include <config.h>

#include "../../modules/imap/fetch_items.h"
#include "../../modules/imap/search_keys.h"

#include <check.h>
#include <stdlib.h>

static struct ph_pool *pool;
static struct ph_buf buf;

static void setup(void)
{
	pool = ph_pool_new(0);
	ph_buf_init(&buf, 1 << 20);
}

static void teardown(void)
{
	ph_buf_free(&buf);
	ph_pool_free(&pool);
}

/* The text, also from memory that ends just behind it, cut at each byte. */
static void cut(const char *text, bool (*parse)(struct parser *parser))
{
	for (size_t len = 0; len < strlen(text); len++) {
		char *exact = malloc(len ? len : 1);
		struct parser parser;
		memcpy(exact, text, len);
		parser_init(&parser, ph_str_of(exact, len), pool);
		parse(&parser);
		free(exact);
	}
}

/* --- FETCH --- */

static void print_fetch(const struct fetch *fetch)
{
	static const struct {
		unsigned item;
		const char *name;
	} names[] = { { FETCH_UID, "UID" }, { FETCH_FLAGS, "FLAGS" }, { FETCH_INTERNALDATE, "DATE" },
		{ FETCH_SIZE, "SIZE" }, { FETCH_ENVELOPE, "ENVELOPE" }, { FETCH_BODY, "BODY" },
		{ FETCH_BODYSTRUCTURE, "STRUCTURE" }, { FETCH_PREVIEW, "PREVIEW" },
		{ FETCH_SAVEDATE, "SAVEDATE" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (fetch->items & names[i].item)
			ph_buf_printf(&buf, "%s ", names[i].name);
	}
	for (const struct fetch_section *s = fetch->sections; s; s = s->next) {
		ph_buf_printf(&buf, "%.*s=%.*s", PH_STR_ARGS(s->label), PH_STR_ARGS(s->name));
		if (s->fields)
			ph_buf_printf(&buf, "%s%zu", s->except ? "-" : "+", s->name_count);
		if (s->partial)
			ph_buf_printf(&buf, "@%u+%u", (unsigned)s->partial_offset, (unsigned)s->partial_size);
		ph_buf_add_char(&buf, ' ');
	}
	if (fetch->sets_seen)
		ph_buf_add_text(&buf, "seen ");
}

static const struct {
	const char *text;
	const char *printed; /* NULL: refused */
} fetch_cases[] = {
	{ "FLAGS", "FLAGS " },
	{ "(FLAGS)", "FLAGS " },
	{ "(uid flags Internaldate rfc822.size envelope body bodystructure)",
		"UID FLAGS DATE SIZE ENVELOPE BODY STRUCTURE " },
	{ "FAST", "FLAGS DATE SIZE " },
	{ "all", "FLAGS DATE SIZE ENVELOPE " },
	{ "FULL", "FLAGS DATE SIZE ENVELOPE BODY " },
	{ "BODY[]", "BODY[]= seen " },
	{ "BODY.PEEK[]", "BODY[]= " },
	{ "body.peek[text]", "BODY[TEXT]=text " },
	{ "BODY[HEADER]", "BODY[HEADER]=HEADER seen " },
	{ "BODY[1.2.3]", "BODY[1.2.3]=1.2.3 seen " },
	{ "BODY[1.MIME]", "BODY[1.MIME]=1.MIME seen " },
	{ "BODY[4.2.HEADER]<0.100>", "BODY[4.2.HEADER]<0>=4.2.HEADER@0+100 seen " },
	{ "BODY[]<5.1>", "BODY[]<5>=@5+1 seen " },
	{ "BODY.PEEK[HEADER.FIELDS (Subject \"From\")]", "BODY[HEADER.FIELDS (Subject From)]=HEADER+2 " },
	{ "BODY.PEEK[1.header.fields.not ({2}\r\nTo)]", "BODY[1.HEADER.FIELDS.NOT (To)]=1.header-1 " },
	{ "BODY[HEADER.FIELDS (\"a b\")]", "BODY[HEADER.FIELDS (\"a b\")]=HEADER+1 seen " },
	{ "RFC822", "RFC822= seen " },
	{ "rfc822.header", "RFC822.HEADER=HEADER " },
	{ "RFC822.TEXT", "RFC822.TEXT=TEXT seen " },
	{ "(BODY[1] BODY.PEEK[2])", "BODY[1]=1 BODY[2]=2 seen " },
	{ "", NULL },
	{ "()", NULL },
	{ "(FLAGS", NULL },
	{ "(FLAGS FAST)", NULL },
	{ "(FLAGS  UID)", NULL },
	{ "FLAGSX", NULL },
	{ "BODY[", NULL },
	{ "BODY[1", NULL },
	{ "BODY[1.]", NULL },
	{ "BODY[.1]", NULL },
	{ "BODY[0]", NULL },
	{ "BODY[1.0]", NULL },
	{ "BODY[01x]", NULL },
	{ "BODY[MIME]", NULL },
	{ "BODY[1.MIME.HEADER]", NULL },
	{ "BODY[HEADER.1]", NULL },
	{ "BODY[HEADERS]", NULL },
	{ "BODY[HEADER.FIELDS]", NULL },
	{ "BODY[HEADER.FIELDS ()]", NULL },
	{ "BODY[HEADER.FIELDS (a]", NULL },
	{ "BODY[HEADER.FIELDS(a)]", NULL },
	{ "BODY[TEXT x]", NULL },
	{ "BODY[]<1>", NULL },
	{ "BODY[]<1.0>", NULL },
	{ "BODY[]<.1>", NULL },
	{ "BODY[]<1.2", NULL },
	{ "BODY[]<4294967296.1>", NULL },
	{ "BODY.PEEK", NULL },
	{ "RFC822.PEEK", NULL },
	{ "BINARY[1]", "BINARY[1]=1 seen " },
	{ "binary.peek[]<5.1>", "BINARY[]<5>=@5+1 " },
	{ "(BINARY.SIZE[1.2] UID)", "UID BINARY.SIZE[1.2]=1.2 " },
	{ "PREVIEW", "PREVIEW " },
	{ "(PREVIEW (LAZY) UID)", "UID PREVIEW " },
	{ "BINARY", NULL },
	{ "BINARY[TEXT]", NULL },
	{ "BINARY[1.MIME]", NULL },
	{ "BINARY[1", NULL },
	{ "BINARY[0]", NULL },
	{ "BINARY.SIZE[1]<0.1>", NULL },
	{ "PREVIEW (FUZZY)", NULL },
	{ "PREVIEW (LAZY", NULL },
	{ "PREVIEW ()", NULL },
};

static bool parse_any_fetch(struct parser *parser)
{
	struct fetch fetch;

	return parse_fetch(parser, &fetch);
}

START_TEST(test_fetch)
{
	struct parser parser;
	struct fetch fetch;
	bool good;

	cut(fetch_cases[_i].text, parse_any_fetch);
	parser_init(&parser, ph_str(fetch_cases[_i].text), pool);
	good = parse_fetch(&parser, &fetch) && parse_end(&parser);
	ck_assert_msg(
		good == (fetch_cases[_i].printed != NULL), "%s: %s", fetch_cases[_i].text, parser.error);
	ck_assert(good || parser.error);
	if (!good)
		return;
	print_fetch(&fetch);
	ck_assert_msg(ph_str_eq(ph_buf_str(&buf), ph_str(fetch_cases[_i].printed)), "%s: %.*s",
		fetch_cases[_i].text, PH_STR_ARGS(ph_buf_str(&buf)));
}
END_TEST

/* --- SEARCH --- */

static void print_key(const struct search_key *key);

static void print_children(const char *name, const struct search_key *key)
{
	ph_buf_printf(&buf, "%s(", name);
	for (const struct search_key *child = key->children; child; child = child->next) {
		if (child != key->children)
			ph_buf_add_char(&buf, ' ');
		print_key(child);
	}
	ph_buf_add_char(&buf, ')');
}

static void print_set(const char *name, const struct sequence_set *set)
{
	ph_buf_add_text(&buf, name);
	for (size_t i = 0; i < set->count; i++)
		ph_buf_printf(&buf, "%s%u:%u", i ? "," : "", (unsigned)set->ranges[i].first,
			(unsigned)set->ranges[i].last);
}

static void print_key(const struct search_key *key)
{
	static const char *const days[] = { "before", "on", "since", "savedbefore", "savedon", "savedsince",
		"sentbefore", "senton", "sentsince" };

	if (key->negated)
		ph_buf_add_char(&buf, '!');
	switch (key->type) {
	case SEARCH_ALL:
		ph_buf_add_text(&buf, "all");
		break;
	case SEARCH_FLAG:
		ph_buf_printf(&buf, "flag%u", key->flag);
		break;
	case SEARCH_RECENT:
		ph_buf_add_text(&buf, "recent");
		break;
	case SEARCH_KEYWORD:
		ph_buf_printf(&buf, "keyword:%.*s", PH_STR_ARGS(key->text));
		break;
	case SEARCH_SEQUENCE:
		print_set("seq", &key->set);
		break;
	case SEARCH_UID:
		print_set("uid", &key->set);
		break;
	case SEARCH_LARGER:
	case SEARCH_SMALLER:
		ph_buf_printf(&buf, "%c%u", key->type == SEARCH_LARGER ? '>' : '<', (unsigned)key->number);
		break;
	case SEARCH_HEADER:
		ph_buf_printf(
			&buf, "%.*s:%.*s/%d", PH_STR_ARGS(key->name), PH_STR_ARGS(key->text), (int)key->cost);
		break;
	case SEARCH_BODY:
	case SEARCH_TEXT:
		ph_buf_printf(
			&buf, "%s:%.*s", key->type == SEARCH_BODY ? "body" : "text", PH_STR_ARGS(key->text));
		break;
	case SEARCH_AND:
		print_children("and", key);
		break;
	case SEARCH_OR:
		print_children("or", key);
		break;
	default:
		ph_buf_printf(&buf, "%s%lld", days[key->type - SEARCH_BEFORE], (long long)key->day);
	}
}

static const struct {
	const char *text;
	const char *printed; /* NULL: refused */
} search_cases[] = {
	{ "ALL", "and(all)" },
	{ "SEEN UNSEEN", "and(flag1 !flag1)" },
	{ "answered deleted draft flagged", "and(flag2 flag8 flag16 flag4)" },
	{ "UNANSWERED UNDELETED UNDRAFT UNFLAGGED", "and(!flag2 !flag8 !flag16 !flag4)" },
	{ "NEW", "and(and(recent !flag1))" },
	{ "OLD RECENT", "and(!recent recent)" },
	{ "NOT SEEN", "and(!flag1)" },
	{ "NOT NOT SEEN", "and(flag1)" },
	{ "NOT UNSEEN", "and(flag1)" },
	{ "OR SEEN (FLAGGED DRAFT)", "and(or(flag1 and(flag4 flag16)))" },
	{ "OR OR 1 2 NOT 3", "and(or(or(seq1:1 seq2:2) !seq3:3))" },
	{ "1:5,*", "and(seq1:5,0:0)" },
	{ "UID 1:* 7", "and(uid1:0 seq7:7)" },
	{ "KEYWORD $Junk UNKEYWORD x", "and(keyword:$Junk !keyword:x)" },
	{ "LARGER 10 SMALLER 20", "and(>10 <20)" },
	{ "BEFORE 1-Jan-1970 ON 2-Jan-1970 SINCE \"3-Jan-1970\"", "and(before0 on1 since2)" },
	{ "SAVEDBEFORE 1-Jan-1970 SAVEDON 2-Jan-1970 SAVEDSINCE 3-Jan-1970 SAVEDATESUPPORTED",
		"and(savedbefore0 savedon1 savedsince2 all)" },
	{ "SENTBEFORE 1-Jan-1970 SENTON 2-Jan-1970 SENTSINCE 3-Jan-1970",
		"and(sentbefore0 senton1 sentsince2)" },
	{ "FROM a TO b CC c BCC d SUBJECT e", "and(From:a/1 To:b/1 Cc:c/1 Bcc:d/1 Subject:e/1)" },
	{ "FROM \"\"", "and(From:/2)" },
	{ "HEADER X-Spam yes", "and(X-Spam:yes/2)" },
	{ "HEADER message-id {3}\r\n<a>", "and(message-id:<a>/1)" },
	{ "HEADER Subject \"\"", "and(Subject:/2)" },
	{ "BODY \"two words\" TEXT x", "and(body:two words text:x)" },
	/* The cheapest come first. */
	{ "BODY a HEADER b c FROM d SEEN", "and(flag1 From:d/1 b:c/2 body:a)" },
	{ "OR BODY a SEEN FROM d", "and(From:d/1 or(flag1 body:a))" },
	{ "CHARSET UTF-8 SUBJECT {2+}\r\n\xc3\xa4", "and(Subject:\xc3\xa4/1)" },
	{ "charset us-ascii all", "and(all)" },
	{ "(((ALL)))", "and(and(and(and(all))))" },
	{ "", NULL },
	{ "()", NULL },
	{ "(ALL", NULL },
	{ "ALL)", NULL },
	{ "ALL ", NULL },
	{ "NOT", NULL },
	{ "NOT ", NULL },
	{ "OR SEEN", NULL },
	{ "OR SEEN ", NULL },
	{ "OR (SEEN) DRAFT X", NULL },
	{ "FROM", NULL },
	{ "HEADER x", NULL },
	{ "KEYWORD \\Seen", NULL },
	{ "KEYWORD \"x\"", NULL },
	{ "LARGER x", NULL },
	{ "LARGER 4294967296", NULL },
	{ "BEFORE yesterday", NULL },
	{ "CHARSET", NULL },
	{ "CHARSET UTF-8", NULL },
	{ "ALLX", NULL },
	{ "MODSEQ 5", NULL },
	{ "0", NULL },
	{ "1:", NULL },
};

static bool parse_any_search(struct parser *parser)
{
	struct search search;

	return parse_search(parser, &search);
}

START_TEST(test_search)
{
	struct parser parser;
	struct search search;
	bool good;

	cut(search_cases[_i].text, parse_any_search);
	parser_init(&parser, ph_str(search_cases[_i].text), pool);
	good = parse_search(&parser, &search) && parse_end(&parser);
	ck_assert_msg(
		good == (search_cases[_i].printed != NULL), "%s: %s", search_cases[_i].text, parser.error);
	ck_assert(good || parser.error);
	if (!good)
		return;
	print_key(search.root);
	ck_assert_msg(ph_str_eq(ph_buf_str(&buf), ph_str(search_cases[_i].printed)), "%s: %.*s",
		search_cases[_i].text, PH_STR_ARGS(ph_buf_str(&buf)));
}
END_TEST

static bool nests(const char *opening, const char *inner, unsigned depth)
{
	struct parser parser;
	struct search search;

	ph_buf_reset(&buf);
	for (unsigned i = 0; i < depth; i++)
		ph_buf_add_text(&buf, opening);
	ph_buf_add_text(&buf, inner);
	for (unsigned i = 0; i < depth && *opening == '('; i++)
		ph_buf_add_char(&buf, ')');
	parser_init(&parser, ph_buf_str(&buf), pool);
	return parse_search(&parser, &search) && parse_end(&parser);
}

START_TEST(test_depth)
{
	ck_assert(nests("(", "ALL", SEARCH_DEPTH_MAX - 1));
	ck_assert(!nests("(", "ALL", SEARCH_DEPTH_MAX));
	ck_assert(!nests("(", "ALL", 10000));
	ck_assert(nests("NOT ", "ALL", SEARCH_DEPTH_MAX - 1));
	ck_assert(!nests("NOT ", "ALL", 10000));
	ck_assert(nests("OR ALL ", "ALL", SEARCH_DEPTH_MAX - 1));
	ck_assert(!nests("OR ALL ", "ALL", 10000));
	ck_assert(nests("ALL ", "ALL", SEARCH_KEYS_MAX - 2));
	ck_assert(!nests("ALL ", "ALL", SEARCH_KEYS_MAX));
}
END_TEST

START_TEST(test_charset)
{
	ck_assert(search_charset_is_known(PH_STR("")));
	ck_assert(search_charset_is_known(PH_STR("utf-8")));
	ck_assert(search_charset_is_known(PH_STR("US-ASCII")));
	ck_assert(!search_charset_is_known(PH_STR("KOI8-R")));
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void)
{
	Suite *suite = suite_create("imap: items and keys");
	TCase *cases = tcase_create("items");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(cases, setup, teardown);
	suite_add_tcase(suite, cases);
	tcase_add_loop_test(cases, test_fetch, 0, COUNT(fetch_cases));
	tcase_add_loop_test(cases, test_search, 0, COUNT(search_cases));
	tcase_add_test(cases, test_depth);
	tcase_add_test(cases, test_charset);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
