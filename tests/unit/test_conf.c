/* Configurations, good and bad, and what is said about them. */
#include <config.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_private.h"

#define MODULES "module_directories = { \"" TEST_MODULES "\" }\n"

static char folder[] = "/tmp/test_conf.XXXXXX";

static const char *write_config(const char *name, const char *text)
{
	static char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	return path;
}

/* The problems, with "F" for the file's path; empty when there is none. */
static void problems_of(const char *text, char *out, size_t size)
{
	const char *path = write_config("test.lua", text);
	struct ph_buf problems;
	struct config *config = config_read(path, &problems);
	struct ph_str rest = ph_buf_str(&problems), line;
	size_t used = 0;

	out[0] = '\0';
	ck_assert_int_eq(config == NULL, problems.len > 0);
	while (rest.len > 0 && ph_str_split(&rest, '\n', &line)) {
		ck_assert(ph_str_starts(line, ph_str(path)));
		line = ph_str_slice(line, strlen(path), line.len);
		used += (size_t)snprintf(out + used, size - used, "F%.*s\n", PH_STR_ARGS(line));
		ck_assert_uint_lt(used, size);
	}
	ph_buf_free(&problems);
	config_free(&config);
}

static const struct {
	const char *text, *problems;
} files[] = {
	{ "", "" },
	{ "hostname = 'mx.example.org'\nworkers = 3\nlog = { level = 'debug' }\n", "" },
	{ "local common = { level = 'warn' }\nlog = common\n", "" },
	{ "workers = 1 + 1\ndomains = { 'a' .. '.org' }\ndrain_timeout = 0.5", "" },
	/* Lua */
	{ "hostname =", "F:1: unexpected symbol near <eof>\n" },
	{ "\n\nhostname = mx", "F:3: nothing is named 'mx' (text needs quotes)\n" },
	{ "\nos.exit(1)", "F:2: nothing is named 'os' (text needs quotes)\n" },
	{ "print('x')", "F:1: nothing is named 'print' (text needs quotes)\n" },
	{ "while true do end", "F:1: the configuration computes for too long\n" },
	{ "local s = 'x'\nwhile true do s = s .. s end", "F: not enough memory\n" },
	{ "\033Lua", "F: attempt to load a binary chunk (mode is 't')\n" },
	{ "return { workers = 2 }",
		"F: it returns a value, which nobody reads: set the options by their names\n" },
	{ "hostname = function() end", "F:1: hostname: a function is no value here\n" },
	{ "log = {}\nlog.log = log", "F:2: log.log.log.log.log.log.log.log.log.log.log.log.log: "
				     "tables within tables too deep, or too many values\n" },
	/* Keys */
	{ "lisen = {}", "F:1: lisen: unknown option 'lisen', did you mean 'listen'?\n" },
	{ "\nfoo = 1", "F:2: foo: unknown option 'foo'\n" },
	{ "log = {\n\tlevel = 'info',\n\tfomrat = 'json',\n}",
		"F:3: log.fomrat: unknown option 'fomrat', did you mean 'format'?\n" },
	{ "log = {}\nlog.fomrat = 'json'",
		"F:2: log.fomrat: unknown option 'fomrat', did you mean 'format'?\n" },
	{ "log = { 'json' }", "F:1: log: a value without a name (item 1)\n" },
	{ "log = {\n['le vel'] = 1 }",
		"F:2: log[\"le vel\"]: unknown option 'le vel', did you mean 'level'?\n" },
	/* Types and bounds */
	{ "workers = 'two'", "F:1: workers: must be a whole number\n" },
	{ "workers = 1.5", "F:1: workers: must be a whole number\n" },
	{ "workers = 65", "F:1: workers: must be at most 64\n" },
	{ "workers = -1", "F:1: workers: must be at least 0\n" },
	{ "hostname = true", "F:1: hostname: must be text, not a boolean\n" },
	{ "hostname = 'a b'", "F:1: hostname: 'a b' is no host name\n" },
	{ "hostname = 'a\\0b'", "F:1: hostname: must not hold a zero byte\n" },
	{ "user = ''", "F:1: user: must not be empty\n" },
	{ "log = 'debug'", "F:1: log: must be a table, not text\n" },
	{ "log = { level = 'warning' }", "F:1: log.level: 'warning' is none of \"debug\", \"info\", "
					 "\"warn\", \"error\"\n" },
	{ "worker_timeout = '1s'", "F:1: worker_timeout: must be at least 2s\n" },
	{ "worker_timeout = '2h'", "F:1: worker_timeout: must be at most 1h\n" },
	{ "drain_timeout = 'soon'",
		"F:1: drain_timeout: must be a time: a number of seconds, or text such as \"250ms\", "
		"\"30s\", \"5m\", \"12h\", \"7d\"\n" },
	{ "domains = 7", "F:1: domains: must be a list of texts, not a number\n" },
	{ "domains = {\n'a',\n7 }", "F:3: domains[2]: must be text, not a number\n" },
	{ "domains = {\n'a',\nb = 'c' }",
		"F:3: domains: must be a list; 'b = ...' is not one of its items\n" },
	{ "domains = { [1] = 'a', [3] = 'b' }", "F:1: domains: item 2 is missing in the list\n" },
	{ "listen = 'x'", "F:1: listen: must be a list of tables, not text\n" },
	/* Modules */
	{ MODULES "modules = {\n'fine', 'nothing' }",
		"F:3: modules[2]: there is no module 'nothing' in " TEST_MODULES "\n" },
	{ MODULES "modules = {\n'fine',\n'fine' }", "F:4: modules[2]: module 'fine' is named twice\n" },
	{ MODULES "modules = { 'needy' }",
		"F:2: modules: module 'needy' needs fine/1, which no module in use provides\n" },
	{ MODULES "fine = {}", "F:2: fine: module 'fine' is not in modules\n" },
	{ MODULES "modules = { 'fine' }\nfine = { greeting = 'good day' }", "" },
	{ MODULES "modules = { 'fine' }\nfine = { patience = '2s', room = 5, greting = 'x' }",
		"F:3: fine.greting: unknown option 'greting', did you mean 'greeting'?\n" },
	{ MODULES "modules = { 'fine' }\nfine = {\npatience = '2h',\nroom = '2M',\ngreeting = '' }",
		"F:4: fine.patience: must be at most 1h\nF:5: fine.room: must be at most 1M\n"
		"F:6: fine.greeting: must not be empty\n" },
	{ MODULES "modules = { 'fine' }\nfine = 5", "F:3: fine: must be a table of the module's options\n" },
	/* Listeners */
	{ MODULES "modules = { 'fine' }\nlisten = {\n{ protocol = 'fine', address = '127.0.0.1:2', motto = "
		  "'x' } }",
		"" },
	{ MODULES "modules = { 'fine' }\nlisten = { {\nprotocol = 'fin', address = '127.0.0.1:2' } }",
		"F:4: listen[1].protocol: no module in use speaks 'fin', did you mean 'fine'?\n" },
	{ MODULES "modules = { 'fine' }\nlisten = { {\nprotocol = 'fine',\naddress = '127.0.0.1:2',\nmoto = "
		  "'x' } }",
		"F:6: listen[1].moto: unknown option 'moto', did you mean 'motto'?\n" },
	{ MODULES "modules = { 'fine' }\nlocal port = 2\nlisten = {\n{ protocl = 'fine', address = "
		  "'127.0.0.1:' .. port } }",
		"F:5: listen[1].protocl: unknown option 'protocl', did you mean 'protocol'?\n"
		"F:5: listen[1].protocol: must be given: The protocol spoken here.\n" },
	{ MODULES "modules = { 'fine' }\nlisten = {\n{ protocol = 'fine', address = '127.0.0.1:2' },\n"
		  "{ protocol = 'fine', address = '127.0.0.1:2' } }",
		"F:5: listen: two listeners have the address 127.0.0.1:2\n" },
	{ MODULES "modules = { 'fine' }\nlisten = {\n{ protocol = 'fine', address = '127.0.0.1:2', tls = "
		  "'starttls' } }",
		"F:4: listen[1]: TLS is asked for, but there is no certificate: set tls.certificate\n" },
	/* All in one run */
	{ "user = ''\nworkers = 1000\nlog = { level = 1 }\nhostnam = 'x'",
		"F:1: user: must not be empty\nF:2: workers: must be at most 64\n"
		"F:3: log.level: must be text, not a number\n"
		"F:4: hostnam: unknown option 'hostnam', did you mean 'hostname'?\n" },
};

START_TEST(reading)
{
	char out[4096];

	problems_of(files[_i].text, out, sizeof(out));
	ck_assert_str_eq(out, files[_i].problems);
}
END_TEST

START_TEST(missing_file)
{
	struct ph_buf problems;
	struct config *config = config_read("/nowhere.lua", &problems);

	ck_assert_ptr_null(config);
	ph_buf_add_char(&problems, '\0');
	ck_assert_str_eq(problems.data, "/nowhere.lua: cannot be read: No such file or directory\n");
	ph_buf_free(&problems);
}
END_TEST

/* --- Every type of option --- */

struct inner {
	int64_t number;
	const char *text;
};

struct all {
	bool flag;
	int64_t number, size;
	ph_msec time;
	const char *text, *path;
	int choice;
	struct ph_text_list list, paths;
	struct ph_text_map map;
	struct inner table;
	struct ph_table_list tables;
	const char *password;
};

static const char *const colours[] = { "red", "green", NULL };
static const struct ph_option inner_options[] = {
	PH_OPTION_NUMBER(struct inner, number, "7", 0, 10, "A number."),
	PH_OPTION_TEXT(struct inner, text, NULL, 10, "A text."),
	PH_OPTIONS_END,
};
static const struct ph_option options[] = {
	PH_OPTION_BOOL(struct all, flag, "true", "A flag."),
	PH_OPTION_NUMBER(struct all, number, "5", -10, 10, "A number."),
	PH_OPTION_SIZE(struct all, size, "2M", 0, INT64_MAX, "A size."),
	PH_OPTION_TIME(struct all, time, "90s", 0, INT64_MAX, "A time."),
	PH_OPTION_TEXT(struct all, text, "some", 0, "A text."),
	PH_OPTION_PATH(struct all, path, "", "A path."),
	PH_OPTION_CHOICE(struct all, choice, "green", colours, "A choice."),
	PH_OPTION_LIST(struct all, list, "{ \"a\", \"b\" }", 3, "A list."),
	PH_OPTION_PATHS(struct all, paths, "{}", 3, "Paths."),
	PH_OPTION_MAP(struct all, map, 3, "A map."),
	{ .key = "table",
		.type = PH_OPT_TABLE,
		.offset = offsetof(struct all, table),
		.fields = inner_options,
		.help = "A table." },
	PH_OPTION_TABLES(struct all, tables, inner_options, sizeof(struct inner), 2, "Tables."),
	{ .key = "password",
		.type = PH_OPT_TEXT,
		.offset = offsetof(struct all, password),
		.fallback = "",
		.secret = true,
		.help = "A secret." },
	PH_OPTIONS_END,
};

static const char given[] = "flag = false\n"
			    "number = -3\n"
			    "size = \"10K\"\n"
			    "time = \"2h\"\n"
			    "text = \"quote \\\" and \\\\ and \\010 line\"\n"
			    "path = \"sub/file\"\n"
			    "choice = \"red\"\n"
			    "list = \"alone\"\n"
			    "paths = { \"/abs\", \"rel\" }\n"
			    "map = { [\"a@x\"] = \"b@y\", c = { \"d\", \"e\" } }\n"
			    "table = { text = \"t\" }\n"
			    "tables = { { number = 1, text = \"one\" }, { text = \"two\" } }\n"
			    "password = \"hush\"\n";

static void fill(struct conf_reader *reader, struct ph_pool *pool, const char *source, struct all *all)
{
	conf_reader_init(reader, pool, "/etc/x/test.lua");
	conf_fill(reader, options, conf_evaluate(reader, ph_str(source)), "", 0, all);
}

START_TEST(all_types)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct conf_reader reader;
	struct all all = { 0 };
	const struct inner *items;

	fill(&reader, pool, given, &all);
	ck_assert_uint_eq(reader.problem_count, 0);
	ck_assert(!all.flag);
	ck_assert_int_eq(all.number, -3);
	ck_assert_int_eq(all.size, 10240);
	ck_assert_int_eq(all.time, 7200000);
	ck_assert_str_eq(all.text, "quote \" and \\ and \n line");
	ck_assert_str_eq(all.path, "/etc/x/sub/file");
	ck_assert_int_eq(all.choice, 0);
	ck_assert_uint_eq(all.list.count, 1);
	ck_assert_str_eq(all.list.items[0], "alone");
	ck_assert_str_eq(all.paths.items[0], "/abs");
	ck_assert_str_eq(all.paths.items[1], "/etc/x/rel");
	ck_assert_uint_eq(all.map.count, 2);
	ck_assert_str_eq(all.map.entries[0].key, "a@x");
	ck_assert_str_eq(all.map.entries[0].values.items[0], "b@y");
	ck_assert_str_eq(all.map.entries[1].values.items[1], "e");
	ck_assert_int_eq(all.table.number, 7);
	ck_assert_uint_eq(all.tables.count, 2);
	items = all.tables.items;
	ck_assert_int_eq(items[0].number, 1);
	ck_assert_str_eq(items[1].text, "two");
	ck_assert_str_eq(all.password, "hush");
	ck_assert_uint_eq(conf_struct_size(options), sizeof(struct all));
	conf_reader_free(&reader);
	ph_pool_free(&pool);
}
END_TEST

START_TEST(defaults)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct conf_reader reader;
	struct all all = { 0 };
	struct ph_buf out;

	fill(&reader, pool, "", &all);
	/* The inner table's text has no default. */
	ph_buf_init(&out, 4096);
	conf_print_problems(&reader, &out);
	ph_buf_add_char(&out, '\0');
	ck_assert_str_eq(out.data, "/etc/x/test.lua: table.text: must be given: A text.\n");
	ck_assert(all.flag);
	ck_assert_int_eq(all.number, 5);
	ck_assert_int_eq(all.size, 2 << 20);
	ck_assert_int_eq(all.time, 90000);
	ck_assert_str_eq(all.text, "some");
	ck_assert_str_eq(all.path, "");
	ck_assert_int_eq(all.choice, 1);
	ck_assert_uint_eq(all.list.count, 2);
	ck_assert_str_eq(all.list.items[1], "b");
	ck_assert_uint_eq(all.tables.count, 0);
	ph_buf_free(&out);
	conf_reader_free(&reader);
	ph_pool_free(&pool);
}
END_TEST

/* What is printed, read again, prints the same. */
START_TEST(printing)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct conf_reader reader;
	struct all first = { 0 }, second = { 0 };
	struct ph_buf once, twice;

	ph_buf_init(&once, 65536);
	ph_buf_init(&twice, 65536);
	fill(&reader, pool, given, &first);
	conf_print_struct(options, &first, 0, &once);
	conf_reader_free(&reader);
	ph_buf_add_char(&once, '\0');
	ck_assert_ptr_null(strstr(once.data, "hush"));
	ck_assert_ptr_nonnull(strstr(once.data, "-- A time.\ntime = \"2h\"\n"));
	fill(&reader, pool, once.data, &second);
	ck_assert_uint_eq(reader.problem_count, 0);
	conf_print_struct(options, &second, 0, &twice);
	conf_reader_free(&reader);
	ph_buf_add_char(&twice, '\0');
	ck_assert_str_eq(once.data, twice.data);
	ph_buf_free(&once);
	ph_buf_free(&twice);
	ph_pool_free(&pool);
}
END_TEST

START_TEST(printing_whole)
{
	const char *text =
		MODULES "modules = { 'needy', 'fine' }\nhostname = 'x.org'\n"
			"listen = { { protocol = 'fine', address = '127.0.0.1:2', motto = 'm' } }\n";
	struct ph_buf problems, once, twice;
	struct config *config;

	ph_buf_init(&once, 1 << 20);
	ph_buf_init(&twice, 1 << 20);
	config = config_read(write_config("first.lua", text), &problems);
	ck_assert_ptr_nonnull(config);
	ph_buf_free(&problems);
	config_print(config, &once);
	config_free(&config);
	ph_buf_add_char(&once, '\0');
	ck_assert_ptr_nonnull(strstr(once.data, "motto = \"m\""));
	ck_assert_ptr_nonnull(strstr(once.data, "greeting = \"hello\""));
	config = config_read(write_config("second.lua", once.data), &problems);
	ck_assert_msg(config != NULL, "%.*s", PH_STR_ARGS(ph_buf_str(&problems)));
	ph_buf_free(&problems);
	config_print(config, &twice);
	config_free(&config);
	ph_buf_add_char(&twice, '\0');
	ck_assert_str_eq(once.data, twice.data);
	ph_buf_free(&once);
	ph_buf_free(&twice);
}
END_TEST

/* --- Lines --- */

static const char source[] = "-- comment = { 1 }\n"          /* 1 */
			     "a = 1 --[[ b = 2\n"            /* 2 */
			     "]] b = [[ x\n"                 /* 3 */
			     "c = 3 ]]\n"                    /* 4 */
			     "local d = { e = 1,\n"          /* 5 */
			     "  f = 2 }\n"                   /* 6 */
			     "list = {\n"                    /* 7 */
			     "  { x = 'a\\'b', y = { 'p',\n" /* 8 */
			     "    'q' } },\n"                /* 9 */
			     "  d,\n"                        /* 10 */
			     "  { x = f(1, { z = 1 }),\n"    /* 11 */
			     "    [\"k k\"] = 5; [7] = 6,\n" /* 12 */
			     "  },\n"                        /* 13 */
			     "}\n"                           /* 14 */
			     "list.extra\n= 1\n"             /* 15, 16 */
			     "list[\"more\"].deep = 2\n";    /* 17 */

static const struct {
	const char *path;
	int line;
} lines[] = {
	{ "a", 2 },
	{ "b", 3 },
	{ "c", 0 },
	{ "d", 0 },
	{ "d.e", 0 },
	{ "list", 7 },
	{ "list[1]", 8 },
	{ "list[1].x", 8 },
	{ "list[1].y[2]", 9 },
	{ "list[2]", 10 },
	{ "list[2].f", 10 },
	{ "list[3]", 11 },
	{ "list[3].x", 11 },
	{ "list[3][\"k k\"]", 12 },
	{ "list[3][7]", 12 },
	{ "list[9].x", 7 },
	{ "list.extra", 15 },
	{ "list.more.deep", 17 },
	{ "nothing", 0 },
	{ "", 0 },
};

START_TEST(line_numbers)
{
	struct conf_lines *found = conf_lines_new(ph_str_of(source, sizeof(source) - 1));

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ck_assert_msg(conf_lines_find(found, lines[i].path) == lines[i].line, "%s: line %d",
			lines[i].path, conf_lines_find(found, lines[i].path));
	conf_lines_free(&found);
}
END_TEST

/* Any source will do, also one that ends anywhere. */
START_TEST(line_numbers_of_anything)
{
	for (size_t len = 0; len <= sizeof(source); len++) {
		struct conf_lines *found = conf_lines_new(ph_str_of(source, len));

		conf_lines_free(&found);
	}
}
END_TEST

/* --- Units and words --- */

static const struct {
	const char *text;
	int64_t time, size; /* -1: refused */
} units[] = {
	{ "0", 0, 0 },
	{ "30", 30000, 30 },
	{ "250ms", 250, -1 },
	{ "5m", 300000, -1 },
	{ "7d", 604800000, -1 },
	{ "50M", -1, 50 << 20 },
	{ "1G", -1, 1 << 30 },
	{ "", -1, -1 },
	{ "m", -1, -1 },
	{ "-1s", -1, -1 },
	{ "1 s", -1, -1 },
	{ "9223372036854775807", -1, INT64_MAX },
	{ "9223372036854775807G", -1, -1 },
	{ "9223372036854775808", -1, -1 },
};

START_TEST(units_of)
{
	int64_t value = -1;

	ck_assert_int_eq(conf_parse_time(ph_str(units[_i].text), &value) ? value : -1, units[_i].time);
	ck_assert_int_eq(conf_parse_size(ph_str(units[_i].text), &value) ? value : -1, units[_i].size);
}
END_TEST

START_TEST(near_words)
{
	const char *const words[] = { "listen", "log", "hostname", "tls", NULL };

	ck_assert_str_eq(conf_near("lisen", words), "listen");
	ck_assert_str_eq(conf_near("litsen", words), "listen");
	ck_assert_str_eq(conf_near("hotsnam", words), "hostname");
	ck_assert_str_eq(conf_near("lg", words), "log");
	ck_assert_ptr_null(conf_near("xyz", words));
	ck_assert_ptr_null(conf_near("", words));
	ck_assert_ptr_null(conf_near("an-absurdly-long-word-that-is-longer-than-any-option-may-be", words));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf");
	TCase *cases = tcase_create("conf");
	SRunner *runner = srunner_create(suite);
	int failed;
	char command[64];

	if (!mkdtemp(folder))
		return 1;
	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, reading, 0, sizeof(files) / sizeof(files[0]));
	tcase_add_test(cases, missing_file);
	tcase_add_test(cases, all_types);
	tcase_add_test(cases, defaults);
	tcase_add_test(cases, printing);
	tcase_add_test(cases, printing_whole);
	tcase_add_test(cases, line_numbers);
	tcase_add_test(cases, line_numbers_of_anything);
	tcase_add_loop_test(cases, units_of, 0, sizeof(units) / sizeof(units[0]));
	tcase_add_test(cases, near_words);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) != 0 || failed != 0;
}
