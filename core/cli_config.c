/* Commands that look at the configuration and at modules, and change nothing. */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include <posthorn/loop.h>

#include "cli.h"
#include "conn_private.h"
#include "hook_private.h"
#include "lua_host.h"
#include "paths.h"
#include "user.h"

/* --- check --- */

/* Everything that a worker does before it starts its modules. */
static int try_out(struct config *config, struct ph_error *error)
{
	struct user user;
	int result = tls_load(&config->tls, error);

	if (result == 0)
		result = user_find(config, &user, error);
	if (result == 0)
		result = user_become(&user, error);
	if (result != 0)
		return result;
	ph_loop_init();
	config_apply(config);
	result = module_init_all(&config->modules, NULL, error);
	if (result == 0)
		result = lua_host_open(&config->policy, paths_scripts(), error);
	if (result == 0)
		lua_host_close();
	module_stop_all(&config->modules);
	ph_loop_free();
	return result;
}

int cli_check(const struct cli *cli)
{
	const struct log_config quiet = { .level = PH_LOG_WARN, .file = "" };
	struct ph_error error = { 0 };
	struct config *config = cli_read_config(cli);
	int result;

	if (!config)
		return PH_EXIT_CONFIG;
	log_open(&quiet, NULL);
	result = try_out(config, &error);
	tls_unload();
	config_free(&config);
	if (result != 0) {
		fprintf(stderr, "%s: %s\n", cli->config_file, error.detail);
		return PH_EXIT_CONFIG;
	}
	printf("configuration OK\n");
	return PH_EXIT_OK;
}

int cli_config(const struct cli *cli)
{
	struct config *config = cli_read_config(cli);
	struct ph_buf out;

	if (!config)
		return PH_EXIT_CONFIG;
	ph_buf_init(&out, 16 << 20);
	config_print(config, &out);
	fwrite(out.data, 1, out.len, stdout);
	ph_buf_free(&out);
	config_free(&config);
	return PH_EXIT_OK;
}

/* --- Modules --- */

/* Where to look: as the configuration says if one was given, else where they were installed. */
struct catalogue {
	struct ph_pool *pool;
	struct config *config;
	struct ph_text_list directories;
	struct ph_text_list names;
};

static bool open_catalogue(const struct cli *cli, struct catalogue *catalogue)
{
	const char **directory;

	*catalogue = (struct catalogue){ .pool = ph_pool_new(0) };
	directory = ph_pool_array(catalogue->pool, 1, sizeof(*directory));
	directory[0] = paths_modules();
	catalogue->directories = (struct ph_text_list){ directory, 1 };
	if (cli->config_given) {
		catalogue->config = cli_read_config(cli);
		if (!catalogue->config)
			return false;
		catalogue->directories = catalogue->config->module_directories;
	}
	catalogue->names = module_list(&catalogue->directories, catalogue->pool);
	return true;
}

static void close_catalogue(struct catalogue *catalogue)
{
	config_free(&catalogue->config);
	ph_pool_free(&catalogue->pool);
}

static void print_names(const char *title, const char *const *names)
{
	if (!names || !*names)
		return;
	printf("    %s", title);
	for (; *names; names++)
		printf(" %s", *names);
	printf("\n");
}

static void print_module(const struct ph_module *module)
{
	struct ph_buf options;

	printf("%s: %s\n", module->name, module->summary);
	print_names("provides", module->provides);
	print_names("needs", module->needs);
	for (const struct ph_protocol *const *protocol = module->protocols; protocol && *protocol; protocol++)
		printf("    speaks %s: %s\n", (*protocol)->name, (*protocol)->summary);
	for (const struct ph_tool *tool = module->tools; tool && tool->name; tool++)
		printf("    command %s\n", tool->name);
	ph_buf_init(&options, 1 << 20);
	conf_print_options(module->options, "        ", &options);
	if (options.len > 0)
		printf("    options\n%.*s", PH_STR_ARGS(ph_buf_str(&options)));
	ph_buf_free(&options);
}

static bool show_module(const struct catalogue *catalogue, const char *name)
{
	struct module module;
	struct ph_error error = { 0 };

	if (module_load(name, &catalogue->directories, &module, &error) != 0) {
		printf("%s: cannot be used: %s\n", name, error.detail);
		return false;
	}
	print_module(module.descriptor);
	module_unload(&module);
	return true;
}

int cli_modules(const struct cli *cli)
{
	struct catalogue catalogue;
	int result = PH_EXIT_OK;

	if (!open_catalogue(cli, &catalogue)) {
		result = PH_EXIT_CONFIG;
	} else if (cli->argc == 0) {
		for (size_t i = 0; i < catalogue.names.count; i++)
			show_module(&catalogue, catalogue.names.items[i]);
	} else if (!module_exists(cli->argv[0], &catalogue.directories)) {
		fprintf(stderr, "posthorn modules: there is no module '%s'\n", cli->argv[0]);
		result = PH_EXIT_ABSENT;
	} else if (!show_module(&catalogue, cli->argv[0])) {
		result = PH_EXIT_FAILED;
	}
	close_catalogue(&catalogue);
	return result;
}

/* --- Hooks --- */

static bool is_in_use(const struct catalogue *catalogue, const char *name)
{
	const struct ph_text_list *used = &catalogue->config->module_names;

	for (size_t i = 0; i < used->count; i++) {
		if (strcmp(used->items[i], name) == 0)
			return true;
	}
	return false;
}

/* The points are printed from where they lie: until then their modules must stay loaded. */
static struct module *add_points(const struct catalogue *catalogue)
{
	struct ph_hook_point *const core_points[] = { &conn_accept_hook, NULL };
	struct module *modules = ph_pool_array(catalogue->pool, catalogue->names.count + 1, sizeof(*modules));

	hook_add_points(core_points, "core", NULL);
	for (size_t i = 0; i < catalogue->names.count; i++) {
		const char *name = catalogue->names.items[i];

		if (catalogue->config && !is_in_use(catalogue, name))
			continue;
		if (module_load(name, &catalogue->directories, &modules[i], NULL) != 0)
			continue;
		if (modules[i].descriptor->hooks)
			hook_add_points(modules[i].descriptor->hooks, modules[i].descriptor->name, NULL);
		if (modules[i].descriptor->objects)
			hook_add_objects(modules[i].descriptor->objects, modules[i].descriptor->name);
	}
	return modules;
}

static void remove_points(const struct catalogue *catalogue, struct module *modules)
{
	for (size_t i = 0; i < catalogue->names.count; i++) {
		if (modules[i].descriptor)
			hook_remove_owner(modules[i].descriptor->name);
		module_unload(&modules[i]);
	}
	hook_remove_owner("core");
}

int cli_hooks(const struct cli *cli)
{
	struct catalogue catalogue;
	int result = PH_EXIT_CONFIG;

	if (open_catalogue(cli, &catalogue)) {
		struct module *modules = add_points(&catalogue);

		hook_print_all(stdout, cli->values[0] != NULL);
		remove_points(&catalogue, modules);
		result = PH_EXIT_OK;
	}
	close_catalogue(&catalogue);
	return result;
}
