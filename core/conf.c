/* The configuration as a whole: the core's own options, the modules it names, their tables, the listeners. */
#include <config.h>

#include "conf_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "paths.h"

enum { FILE_MAX = 1 << 20, PROBLEMS_MAX_BYTES = 1 << 20 };

#define CORE_OPTION(key_, type_, member_, fallback_, help_)                                                  \
	.key = (key_), .type = (type_), .offset = offsetof(struct config, member_), .fallback = (fallback_), \
	.help = (help_)

static const struct ph_option core_options[] = {
	{ CORE_OPTION("hostname", PH_OPT_TEXT, public.hostname, "",
		  "This host's full name, for greetings and trace lines; what the system says when empty."),
		.maximum = 255 },
	{ CORE_OPTION("data_directory", PH_OPT_PATH, public.data_directory, PH_STATE_DIRECTORY,
		"Where all that must last is kept.") },
	{ CORE_OPTION("run_directory", PH_OPT_PATH, run_directory, PH_RUN_DIRECTORY,
		"Where the control socket lies.") },
	{ CORE_OPTION("user", PH_OPT_TEXT, user, "posthorn",
		  "The user that workers run as when started as root."),
		.minimum = 1, .maximum = 64 },
	{ CORE_OPTION("group", PH_OPT_TEXT, group, "",
		  "The group that workers run as; the user's own when empty."),
		.maximum = 64 },
	{ CORE_OPTION("workers", PH_OPT_NUMBER, public.workers, "0",
		  "How many workers; 0 is one for each processor."),
		.maximum = 64 },
	{ CORE_OPTION("domains", PH_OPT_LIST, public.domains, "{}",
		"The domains served here, besides those of the accounts.") },
	{ CORE_OPTION("modules", PH_OPT_LIST, module_names, "{}", "The modules in use."), .maximum = 100 },
	{ CORE_OPTION("module_directories", PH_OPT_PATHS, module_directories, "{}",
		  "Where modules are found; where they were installed when empty."),
		.maximum = 20 },
	{ CORE_OPTION("listen", PH_OPT_TABLES, listeners, "{}", "Where connections come in."),
		.fields = listener_options, .item_size = sizeof(struct listener_config), .maximum = 100 },
	{ CORE_OPTION("tls", PH_OPT_TABLE, tls, "{}", "The server's certificates."), .fields = tls_options },
	{ CORE_OPTION("policy", PH_OPT_TABLE, policy, "{}", "Scripts, and what they may use up."),
		.fields = policy_options },
	{ CORE_OPTION("log", PH_OPT_TABLE, log, "{}", "What is logged, how, and where."),
		.fields = log_options },
	{ CORE_OPTION("drain_timeout", PH_OPT_TIME, drain_timeout, "10m",
		  "How long connections may go on with the old configuration after a reload."),
		.maximum = 86400000 },
	{ CORE_OPTION("worker_timeout", PH_OPT_TIME, worker_timeout, "60s",
		  "A worker that does nothing at all for so long is killed and started anew."),
		.minimum = 2000, .maximum = 3600000 },
	PH_OPTIONS_END,
};

static const struct config *applied;

/* --- The core's own --- */

static struct ph_text_list one_text(struct ph_pool *pool, const char *text)
{
	const char **items = ph_pool_array(pool, 1, sizeof(*items));

	items[0] = text;
	return (struct ph_text_list){ items, 1 };
}

static int line_of(const struct config *config, const char *key)
{
	const struct conf_value *value = conf_get(config->tree, key);

	return value ? value->line : 0;
}

static void settle_hostname(struct config *config, struct conf_reader *reader)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]";
	const char *name = config->public.hostname;
	char own[256] = "localhost";

	if (name[0]) {
		if (strspn(name, good) != strlen(name))
			conf_problem(reader, line_of(config, "hostname"), "hostname", "'%s' is no host name",
				name);
		return;
	}
	gethostname(own, sizeof(own) - 1);
	config->public.hostname = ph_pool_str(config->pool, ph_str(own)).data;
}

static void settle_core(struct config *config, struct conf_reader *reader)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	settle_hostname(config, reader);
	if (config->public.workers == 0)
		config->public.workers = processors < 1 ? 1 : processors > 64 ? 64 : processors;
	if (config->module_directories.count == 0)
		config->module_directories = one_text(config->pool, paths_modules());
}

/* --- Modules --- */

static const struct module *find_module(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->modules.count; i++) {
		if (strcmp(config->modules.items[i].descriptor->name, name) == 0)
			return &config->modules.items[i];
	}
	return NULL;
}

static const struct conf_value *item_of(const struct conf_value *list, size_t index)
{
	return list && list->kind == CONF_TABLE && index < list->count ? &list->entries[index].value : list;
}

static void load_modules(struct config *config, struct conf_reader *reader)
{
	const struct ph_text_list *names = &config->module_names;
	const struct conf_value *list = conf_get(config->tree, "modules");

	config->modules.items = ph_pool_array(config->pool, names->count + 1, sizeof(struct module));
	for (size_t i = 0; i < names->count; i++) {
		struct module *module = &config->modules.items[config->modules.count];
		const char *path = conf_path_index(config->pool, "modules", (int64_t)i + 1);
		const struct conf_value *item = item_of(list, i);
		struct ph_error error = { 0 };

		if (find_module(config, names->items[i]))
			conf_problem(reader, item ? item->line : 0, path, "module '%s' is named twice",
				names->items[i]);
		else if (module_load(names->items[i], &config->module_directories, module, &error) != 0)
			conf_problem(reader, item ? item->line : 0, path, "%s", error.detail);
		else
			config->modules.count++;
	}
}

static void sort_modules(struct config *config, struct conf_reader *reader)
{
	struct ph_error error = { 0 };

	/* A module that could not be loaded would be missed here, too: one message is enough. */
	if (config->modules.count == config->module_names.count && module_sort(&config->modules, &error) != 0)
		conf_problem(reader, line_of(config, "modules"), "modules", "%s", error.detail);
}

/* The module's options, checked into memory that nobody uses. */
static void check_module(const struct config *config, const struct module *module, struct conf_reader *reader)
{
	const struct ph_module *descriptor = module->descriptor;
	const struct conf_value *table = conf_get(config->tree, descriptor->name);
	int line = table ? table->line : line_of(config, "modules");

	if (table && table->kind != CONF_TABLE) {
		conf_problem(reader, line, descriptor->name, "must be a table of the module's options");
		return;
	}
	conf_refuse_unknown(reader, table, descriptor->name, &descriptor->options, 1);
	conf_fill(reader, descriptor->options, table, descriptor->name, line,
		ph_pool_alloc(config->pool, conf_struct_size(descriptor->options) + 1));
}

/* --- Listeners --- */

static const char *near_protocol(const struct config *config, const char *name)
{
	const char *words[256];
	size_t count = 0;

	for (size_t i = 0; i < config->modules.count; i++) {
		const struct ph_protocol *const *protocols = config->modules.items[i].descriptor->protocols;

		for (; protocols && *protocols && count < 255; protocols++)
			words[count++] = (*protocols)->name;
	}
	words[count] = NULL;
	return conf_near(name, words);
}

static void fill_protocol(struct config *config, struct conf_reader *reader, struct listener_config *listener,
	const struct conf_value *table, const char *path)
{
	const struct ph_option *const tables[] = { listener_options, listener->speaks->listener_options };

	conf_refuse_unknown(reader, table, path, tables, 2);
	if (!listener->speaks->listener_options)
		return;
	listener->protocol_options = ph_pool_alloc(config->pool, listener->speaks->listener_size);
	conf_fill(reader, listener->speaks->listener_options, table, path, table->line,
		listener->protocol_options);
}

static void refuse_protocol(const struct config *config, struct conf_reader *reader,
	const struct listener_config *listener, const struct conf_value *table, const char *path)
{
	const char *near = near_protocol(config, listener->protocol);
	const struct conf_value *given = conf_get(table, "protocol");
	int line = given ? given->line : table->line;

	if (near)
		conf_problem(reader, line, path, "no module in use speaks '%s', did you mean '%s'?",
			listener->protocol, near);
	else
		conf_problem(reader, line, path, "no module in use speaks '%s'", listener->protocol);
}

static void settle_listener(struct config *config, struct conf_reader *reader,
	struct listener_config *listener, const struct conf_value *table, const char *path)
{
	struct ph_error error = { 0 };

	if (!listener->protocol)
		conf_refuse_unknown(
			reader, table, path, (const struct ph_option *const[]){ listener_options }, 1);
	if (!listener->protocol || !listener->address)
		return; /* noted already */
	listener->speaks = module_protocol(&config->modules, listener->protocol);
	if (listener->speaks)
		fill_protocol(config, reader, listener, table, path);
	else if (config->modules.count == config->module_names.count)
		refuse_protocol(
			config, reader, listener, table, conf_path_key(config->pool, path, "protocol"));
	if (listener_validate(listener, &error) != 0)
		conf_problem(reader, table->line, path, "%s", error.detail);
	if (listener->tls != LISTENER_TLS_NONE && !config->tls.certificate[0] && !config->tls.directory[0])
		conf_problem(reader, table->line, path,
			"TLS is asked for, but there is no certificate: set tls.certificate");
}

static bool have_same_address(const struct listener_config *a, const struct listener_config *b)
{
	return a->address && b->address && strcmp(a->address, b->address) == 0;
}

static void settle_listeners(struct config *config, struct conf_reader *reader)
{
	const struct conf_value *list = conf_get(config->tree, "listen");

	for (size_t i = 0; list && list->kind == CONF_TABLE && i < config->listeners.count; i++) {
		const struct conf_value *table = &list->entries[i].value;
		struct listener_config *listener = config_listener(config, i);

		if (table->kind != CONF_TABLE)
			continue;
		settle_listener(config, reader, listener, table,
			conf_path_index(config->pool, "listen", (int64_t)i + 1));
		for (size_t j = 0; j < i; j++) {
			if (have_same_address(config_listener(config, j), listener))
				conf_problem(reader, table->line, "listen",
					"two listeners have the address %s", listener->address);
		}
	}
}

struct listener_config *config_listener(const struct config *config, size_t index)
{
	return (struct listener_config *)config->listeners.items + index;
}

/* --- Keys at the top --- */

static const struct ph_option *core_option(const char *key)
{
	for (const struct ph_option *option = core_options; option->key; option++) {
		if (strcmp(option->key, key) == 0)
			return option;
	}
	return NULL;
}

static void refuse_top_key(
	const struct config *config, struct conf_reader *reader, const struct conf_entry *entry)
{
	size_t core_count = sizeof(core_options) / sizeof(core_options[0]) - 1, count = 0;
	const char **words =
		ph_pool_array(config->pool, core_count + config->modules.count + 1, sizeof(*words));
	const char *near;

	if (module_exists(entry->key, &config->module_directories)) {
		conf_problem(
			reader, entry->value.line, entry->key, "module '%s' is not in modules", entry->key);
		return;
	}
	for (size_t i = 0; i < core_count; i++)
		words[count++] = core_options[i].key;
	for (size_t i = 0; i < config->modules.count; i++)
		words[count++] = config->modules.items[i].descriptor->name;
	near = conf_near(entry->key, words);
	if (near)
		conf_problem(reader, entry->value.line, entry->key, "unknown option '%s', did you mean '%s'?",
			entry->key, near);
	else
		conf_problem(reader, entry->value.line, entry->key, "unknown option '%s'", entry->key);
}

static bool is_named_module(const struct config *config, const char *key)
{
	for (size_t i = 0; i < config->module_names.count; i++) {
		if (strcmp(config->module_names.items[i], key) == 0)
			return true;
	}
	return false;
}

static void check_top_keys(const struct config *config, struct conf_reader *reader)
{
	for (size_t i = 0; i < config->tree->count; i++) {
		const struct conf_entry *entry = &config->tree->entries[i];
		const struct ph_option *option = core_option(entry->key);

		if (option && option->type == PH_OPT_TABLE && entry->value.kind == CONF_TABLE)
			conf_refuse_unknown(reader, &entry->value, entry->key, &option->fields, 1);
		else if (!option && !is_named_module(config, entry->key))
			refuse_top_key(config, reader, entry);
	}
}

/* --- Reading --- */

static bool read_whole(int fd, struct ph_buf *source)
{
	for (;;) {
		char *room = ph_buf_reserve(source, 8192);
		ssize_t len = room ? read(fd, room, 8192) : -1;

		if (len <= 0)
			return len == 0;
		ph_buf_added(source, (size_t)len);
	}
}

static bool read_source(const char *file, struct ph_buf *source, struct conf_reader *reader)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && read_whole(fd, source);

	if (source->failed)
		conf_problem(reader, 0, NULL, "longer than %d bytes", FILE_MAX);
	else if (!good)
		conf_problem(reader, 0, NULL, "cannot be read: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return good;
}

static void settle(struct config *config, struct conf_reader *reader)
{
	conf_fill(reader, core_options, config->tree, "", 0, config);
	settle_core(config, reader);
	load_modules(config, reader);
	check_top_keys(config, reader);
	for (size_t i = 0; i < config->modules.count; i++)
		check_module(config, &config->modules.items[i], reader);
	sort_modules(config, reader);
	settle_listeners(config, reader);
}

struct config *config_read(const char *file, struct ph_buf *problems)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct config *config = ph_pool_alloc(pool, sizeof(*config));
	char *absolute = realpath(file, NULL);
	struct conf_reader reader;
	struct ph_buf source;

	config->pool = pool;
	config->file = ph_pool_str(pool, ph_str(absolute ? absolute : file)).data;
	free(absolute);
	conf_reader_init(&reader, pool, config->file);
	/* Messages name the file as it was given. */
	reader.file = ph_pool_str(pool, ph_str(file)).data;
	config->directory = reader.directory;
	ph_buf_init(&source, FILE_MAX);
	if (read_source(file, &source, &reader)) {
		config->tree = conf_evaluate(&reader, ph_buf_str(&source));
		if (config->tree)
			settle(config, &reader);
	}
	ph_buf_free(&source);
	ph_buf_init(problems, PROBLEMS_MAX_BYTES);
	conf_print_problems(&reader, problems);
	if (reader.problem_count > 0)
		config_free(&config);
	conf_reader_free(&reader);
	return config;
}

void config_free(struct config **config)
{
	struct ph_pool *pool;

	if (!*config)
		return;
	pool = (*config)->pool;
	for (size_t i = 0; i < (*config)->modules.count; i++)
		module_unload(&(*config)->modules.items[i]);
	if (applied == *config)
		applied = NULL;
	*config = NULL;
	ph_pool_free(&pool);
}

/* --- Using --- */

void config_apply(const struct config *config)
{
	struct conf_reader reader;

	conf_reader_init(&reader, config->pool, config->file);
	for (size_t i = 0; i < config->modules.count; i++) {
		const struct ph_module *module = config->modules.items[i].descriptor;
		const struct conf_value *table = conf_get(config->tree, module->name);

		conf_fill(&reader, module->options, table, module->name, 0, module->config);
	}
	/* The same values were found good when the configuration was read. */
	PH_ASSERT(reader.problem_count == 0);
	conf_reader_free(&reader);
	applied = config;
}

const struct ph_core_config *ph_core_config(void)
{
	PH_ASSERT(applied);
	return &applied->public;
}

const char *config_control_path(const struct config *config)
{
	return ph_pool_printf(config->pool, "%s/control", config->run_directory).data;
}

static void print_listener(const struct listener_config *listener, struct ph_buf *out)
{
	ph_buf_add_text(out, "\t{\n");
	conf_print_struct(listener_options, listener, 2, out);
	conf_print_struct(listener->speaks->listener_options, listener->protocol_options, 2, out);
	ph_buf_add_text(out, "\t},\n");
}

static void print_module(const struct config *config, const struct ph_module *module, struct ph_buf *out)
{
	void *scratch = ph_pool_alloc(config->pool, conf_struct_size(module->options) + 1);
	struct conf_reader reader;

	if (!module->options || !module->options[0].key)
		return;
	conf_reader_init(&reader, config->pool, config->file);
	conf_fill(&reader, module->options, conf_get(config->tree, module->name), module->name, 0, scratch);
	conf_reader_free(&reader);
	ph_buf_printf(out, "\n-- %s\n%s = {\n", module->summary, module->name);
	conf_print_struct(module->options, scratch, 1, out);
	ph_buf_add_text(out, "}\n");
}

void config_print(const struct config *config, struct ph_buf *out)
{
	for (const struct ph_option *option = core_options; option->key; option++) {
		const struct ph_option one[] = { *option, PH_OPTIONS_END };

		if (strcmp(option->key, "listen") != 0) {
			conf_print_struct(one, config, 0, out);
			continue;
		}
		ph_buf_printf(out, "-- %s\nlisten = {\n", option->help);
		for (size_t i = 0; i < config->listeners.count; i++)
			print_listener(config_listener(config, i), out);
		ph_buf_add_text(out, "}\n");
	}
	for (size_t i = 0; i < config->modules.count; i++)
		print_module(config, config->modules.items[i].descriptor, out);
}
