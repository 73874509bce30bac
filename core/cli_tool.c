/* Commands that modules bring along. The owner and the modules it needs are started, in this process and
 * without any listener; the command runs on a fiber, as the server's user. */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include <posthorn/loop.h>

#include "bus_private.h"
#include "cli.h"
#include "paths.h"
#include "user.h"

/* --- Which there are: in all modules, whatever is in use --- */

/* Where the configuration says, if it says so and is good; else where modules were installed. */
static struct ph_text_list find_directories(const struct cli *cli, struct ph_pool *pool)
{
	const char **items = ph_pool_array(pool, 64, sizeof(*items));
	struct ph_text_list directories = { items, 1 };
	struct ph_buf problems;
	struct config *config;

	items[0] = paths_modules();
	if (!cli->config_given)
		return directories;
	config = config_read(cli->config_file, &problems);
	for (size_t i = 0; config && i < config->module_directories.count && i < 64; i++) {
		items[i] = ph_pool_str(pool, ph_str(config->module_directories.items[i])).data;
		directories.count = i + 1;
	}
	config_free(&config);
	ph_buf_free(&problems);
	return directories;
}

/* The modules of these folders, and a pool for what is found out about them. */
struct shelf {
	struct ph_pool *pool;
	struct ph_text_list directories;
};

/* The first word of the tool's name, in the pool. */
static const char *group_of(const struct ph_tool *tool, struct ph_pool *pool)
{
	return ph_pool_str(pool, ph_str_of(tool->name, strcspn(tool->name, " "))).data;
}

static void each_tool(const struct shelf *shelf,
	void (*visit)(void *arg, const struct ph_module *module, const struct ph_tool *tool), void *arg)
{
	struct ph_text_list names = module_list(&shelf->directories, shelf->pool);
	struct module module;

	for (size_t i = 0; i < names.count; i++) {
		if (module_load(names.items[i], &shelf->directories, &module, NULL) != 0)
			continue;
		for (const struct ph_tool *tool = module.descriptor->tools; tool && tool->name; tool++)
			visit(arg, module.descriptor, tool);
		module_unload(&module);
	}
}

static void print_summary(void *arg, const struct ph_module *module, const struct ph_tool *tool)
{
	(void)arg, (void)module;
	printf("  %-18s  %.*s\n", tool->name, (int)strcspn(tool->help, "\n"), tool->help);
}

void cli_tool_list(const struct cli *cli)
{
	struct shelf shelf = { .pool = ph_pool_new(0) };

	shelf.directories = find_directories(cli, shelf.pool);
	each_tool(&shelf, print_summary, NULL);
	ph_pool_free(&shelf.pool);
}

enum { WORDS_MAX = 100 };

struct words {
	struct ph_pool *pool;
	const char **items;
	size_t count;
};

static void add_word(void *arg, const struct ph_module *module, const struct ph_tool *tool)
{
	struct words *words = arg;

	(void)module;
	if (words->count < WORDS_MAX)
		words->items[words->count++] = group_of(tool, words->pool);
}

const char *const *cli_tool_words(const struct cli *cli, struct ph_pool *pool)
{
	struct words words = { .pool = pool, .items = ph_pool_array(pool, WORDS_MAX + 1, sizeof(char *)) };
	struct shelf shelf = { .pool = pool, .directories = find_directories(cli, pool) };

	each_tool(&shelf, add_word, &words);
	return words.items;
}

/* --- Which one is meant --- */

struct search {
	struct ph_pool *pool;
	int argc;
	char **argv;
	const char *owner; /* the module that has it */
	int words;         /* how many of the arguments are its name */
	bool group_exists;
	bool help;
	struct words others; /* second words of the same group */
};

/* How many of the arguments spell the tool's name; 0: they do not. */
static int match(const struct search *search, const struct ph_tool *tool)
{
	struct ph_str rest = ph_str(tool->name), word;
	int count = 0;

	while (ph_str_split(&rest, ' ', &word)) {
		if (count >= search->argc || !ph_str_eq(word, ph_str(search->argv[count])))
			return 0;
		count++;
	}
	return count;
}

static void print_tool_help(const struct ph_tool *tool)
{
	printf("Usage: posthorn [-c FILE] %s%s%s\n\n%s\n", tool->name, tool->arguments[0] ? " " : "",
		tool->arguments, tool->help);
}

static void look(void *arg, const struct ph_module *module, const struct ph_tool *tool)
{
	struct search *search = arg;
	int words = match(search, tool);
	const char *group = group_of(tool, search->pool);

	if (strcmp(group, search->argv[0]) == 0) {
		search->group_exists = true;
		if (search->others.count < WORDS_MAX && strlen(tool->name) > strlen(group))
			search->others.items[search->others.count++] =
				ph_pool_str(search->pool, ph_str(tool->name + strlen(group) + 1)).data;
	}
	if (words == 0)
		return;
	search->words = words;
	search->owner = ph_pool_str(search->pool, ph_str(module->name)).data;
	if (search->help)
		print_tool_help(tool);
}

static void print_group_member(void *arg, const struct ph_module *module, const struct ph_tool *tool)
{
	const struct search *search = arg;

	if (strcmp(group_of(tool, search->pool), search->argv[0]) == 0)
		print_summary(NULL, module, tool);
}

static int explain_group(struct search *search, const struct shelf *shelf)
{
	const char *near = search->argc > 1 ? conf_near(search->argv[1], search->others.items) : NULL;

	if (search->argc > 1 && !search->help) {
		fprintf(stderr, "posthorn: unknown command '%s %s'%s%s%s\n", search->argv[0], search->argv[1],
			near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
		return PH_EXIT_USAGE;
	}
	printf("Usage: posthorn [-c FILE] %s COMMAND\n\nCommands (--help behind one explains it):\n",
		search->argv[0]);
	each_tool(shelf, print_group_member, search);
	return search->help ? PH_EXIT_OK : PH_EXIT_USAGE;
}

/* --- Running it --- */

struct running {
	struct config *config;
	bool *keep;
	const struct ph_tool *tool;
	int argc;
	char **argv;
	int result;
};

static void run_on_fiber(void *arg)
{
	struct running *running = arg;
	struct ph_error error = { 0 };

	if (module_init_all(&running->config->modules, running->keep, &error) != 0 ||
		module_start_all(&running->config->modules, &error) != 0) {
		fprintf(stderr, "posthorn: %s\n", error.detail);
		running->result = PH_EXIT_FAILED;
	} else {
		running->result = running->tool->run(running->argc, running->argv);
	}
	module_stop_all(&running->config->modules);
	ph_loop_break();
}

static void run_tool(struct running *running)
{
	const struct log_config quiet = { .level = PH_LOG_WARN, .file = "" };

	log_open(&quiet, NULL);
	ph_loop_init();
	config_apply(running->config);
	bus_use_control(config_control_path(running->config));
	ph_fiber_start("tool", run_on_fiber, running);
	ph_loop_run();
	bus_close();
	ph_loop_free();
}

static bool become_user(const struct config *config)
{
	struct user user;
	struct ph_error error = { 0 };

	if (user_find(config, &user, &error) == 0 &&
		user_make_directory(&user, config->public.data_directory, &error) == 0 &&
		user_become(&user, &error) == 0)
		return true;
	fprintf(stderr, "posthorn: %s\n", error.detail);
	return false;
}

/* The tool among the modules in use; marks what it needs. */
static const struct ph_tool *find_in_use(const struct config *config, const struct search *search, bool *keep)
{
	for (size_t i = 0; i < config->modules.count; i++) {
		const struct ph_tool *tool = config->modules.items[i].descriptor->tools;

		for (; tool && tool->name; tool++) {
			if (match(search, tool) > 0) {
				module_mark_needed(&config->modules, i, keep);
				return tool;
			}
		}
	}
	return NULL;
}

static int run_found(const struct cli *cli, const struct search *search)
{
	struct running running = {
		.config = cli_read_config(cli),
		.argc = search->argc - search->words,
		.argv = search->argv + search->words,
		.result = PH_EXIT_FAILED,
	};

	if (!running.config)
		return PH_EXIT_CONFIG;
	running.keep = ph_pool_array(running.config->pool, running.config->modules.count + 1, sizeof(bool));
	running.tool = find_in_use(running.config, search, running.keep);
	if (!running.tool) {
		fprintf(stderr, "posthorn: this needs module '%s', which is not in modules in %s\n",
			search->owner, cli->config_file);
		running.result = PH_EXIT_CONFIG;
	} else if (become_user(running.config)) {
		run_tool(&running);
	}
	config_free(&running.config);
	return running.result;
}

int cli_tool_run(const struct cli *cli, int argc, char **argv, bool help)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct search search = { .pool = pool, .argc = argc, .argv = argv, .help = help };
	struct shelf shelf = { .pool = pool, .directories = find_directories(cli, pool) };
	int result = -1;

	search.others =
		(struct words){ .pool = pool, .items = ph_pool_array(pool, WORDS_MAX + 1, sizeof(char *)) };
	each_tool(&shelf, look, &search);
	if (search.words > 0)
		result = help ? PH_EXIT_OK : run_found(cli, &search);
	else if (search.group_exists)
		result = explain_group(&search, &shelf);
	ph_pool_free(&pool);
	return result;
}
