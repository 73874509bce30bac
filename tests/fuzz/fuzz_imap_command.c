/* The parsers of IMAP: the input is a command's arguments, its first byte chooses whose. What is read is
 * printed, and what is printed must read back as the same. */
#include <config.h>

#include "../../modules/imap/fetch_items.h"
#include "../../modules/imap/pattern.h"
#include "../../modules/imap/print.h"
#include "../../modules/imap/search_keys.h"

#include <posthorn/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_fetch(struct parser *parser)
{
	struct fetch fetch;

	if (!parse_fetch(parser, &fetch))
		return;
	for (const struct fetch_section *section = fetch.sections; section; section = section->next) {
		struct parser again;
		struct fetch second;
		struct ph_str peek;
		if (section->partial || !ph_str_starts(section->label, PH_STR("BODY[")))
			continue;
		peek = section->label;
		parser_init(&again, peek, parser->pool);
		PH_ASSERT(parse_fetch(&again, &second) && parse_at_end(&again));
		PH_ASSERT(ph_str_eq(second.sections->label, section->label));
	}
}

static void fuzz_search(struct parser *parser)
{
	struct search search;

	parse_search(parser, &search);
}

static void fuzz_store(struct parser *parser)
{
	struct sequence_set set;
	struct ph_flag_list flags, second;
	struct parser again;
	struct ph_buf buf;

	if (parse_sequence_set(parser, &set))
		sequence_set_resolve(&set, 1000);
	if (!parse_space(parser) || !parse_flag_list(parser, true, &flags))
		return;
	ph_buf_init(&buf, 1 << 20);
	print_flags(&buf, flags.flags, false, flags.keywords, flags.keyword_count);
	parser_init(&again, ph_buf_str(&buf), parser->pool);
	PH_ASSERT(parse_flag_list(&again, false, &second) && parse_at_end(&again));
	PH_ASSERT(second.flags == flags.flags && second.keyword_count == flags.keyword_count);
	ph_buf_free(&buf);
}

static void fuzz_append(struct parser *parser)
{
	struct literal_header header;
	struct date_time date;
	struct ph_str name;
	struct ph_buf buf;

	parse_literal_header(parser_rest(parser), &header);
	if (!parse_mailbox(parser, &name))
		return;
	ph_buf_init(&buf, 1 << 20);
	print_mailbox(&buf, name);
	ph_buf_free(&buf);
	if (parse_space(parser))
		parse_date_time(parser, &date);
}

static void fuzz_list(struct parser *parser)
{
	struct ph_str reference, pattern;

	if (parse_list_mailbox(parser, &reference) && parse_space(parser) &&
		parse_list_mailbox(parser, &pattern))
		pattern_matches(pattern, reference);
}

static void fuzz_login(struct parser *parser)
{
	struct ph_str tag, user, password;

	if (parse_tag(parser, &tag) && parse_space(parser) && parse_astring(parser, &user) &&
		parse_space(parser))
		parse_nstring(parser, &password);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(struct parser *) = { fuzz_fetch, fuzz_search, fuzz_store, fuzz_append,
		fuzz_list, fuzz_login };
	struct ph_pool *pool;
	struct parser parser;

	if (size == 0)
		return 0;
	pool = ph_pool_new(1 << 24);
	parser_init(&parser, ph_str_of(data + 1, size - 1), pool);
	targets[data[0] % (sizeof(targets) / sizeof(*targets))](&parser);
	ph_pool_free(&pool);
	return 0;
}
