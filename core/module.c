/* The loader. A module's descriptor is data: it is read, checked and ordered before any code of the module
 * runs. dlopen() itself could run constructors; modules have none. */
#include <config.h>

#include "module_private.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <posthorn/log.h>
#include <posthorn/mem.h>

#include "conn_private.h"
#include "hook_private.h"
#include "lua_host.h"

enum { PATH_BYTES = 4096, MODULE_NAMES_MAX = 500 };

/* --- Finding and loading --- */

static bool is_module_name(const char *name)
{
	for (const char *c = name; *c; c++) {
		if (!ph_is_alpha(*c) && !ph_is_digit(*c) && *c != '_')
			return false;
	}
	return *name && strlen(name) < 64;
}

/* The first of the folders' NAME.so. */
static bool find_file(const char *name, const struct ph_text_list *directories, char *path_r)
{
	for (size_t i = 0; i < directories->count && is_module_name(name); i++) {
		int len = snprintf(path_r, PATH_BYTES, "%s/%s.so", directories->items[i], name);

		if (len > 0 && len < PATH_BYTES && access(path_r, F_OK) == 0)
			return true;
	}
	return false;
}

bool module_exists(const char *name, const struct ph_text_list *directories)
{
	char path[PATH_BYTES];

	return find_file(name, directories, path);
}

/* Only `abi` may be looked at before this has said yes. */
static int check_abi(const struct ph_module_abi *abi, const char *path, struct ph_error *error)
{
	const char *client = "module cannot be used";

	if (abi->magic != PH_MODULE_MAGIC)
		return ph_error_set(
			error, PH_E_UNSUPPORTED, client, "%s: its ph_module is no module descriptor", path);
	if (abi->number != PH_MODULE_ABI_NUMBER)
		return ph_error_set(error, PH_E_UNSUPPORTED, client,
			"%s: made for module interface %u, this Posthorn has %u", path, abi->number,
			PH_MODULE_ABI_NUMBER);
	if (abi->size != sizeof(struct ph_module))
		return ph_error_set(error, PH_E_UNSUPPORTED, client,
			"%s: its descriptor has %u bytes, this Posthorn's %zu: compile it anew", path,
			abi->size, sizeof(struct ph_module));
	if (!abi->signature || strcmp(abi->signature, PH_MODULE_SIGNATURE) != 0)
		return ph_error_set(error, PH_E_UNSUPPORTED, client,
			"%s: built with other options (\"%s\", this Posthorn \"%s\"): compile it anew", path,
			abi->signature ? abi->signature : "", PH_MODULE_SIGNATURE);
	return 0;
}

static int take_descriptor(const char *name, const char *path, struct module *module, struct ph_error *error)
{
	const struct ph_module *descriptor = dlsym(module->handle, "ph_module");
	int result;

	if (!descriptor)
		return ph_error_set(
			error, PH_E_UNSUPPORTED, "module cannot be used", "%s: exports no ph_module", path);
	result = check_abi(&descriptor->abi, path, error);
	if (result != 0)
		return result;
	if (!descriptor->name || strcmp(descriptor->name, name) != 0)
		return ph_error_set(error, PH_E_UNSUPPORTED, "module cannot be used", "%s: calls itself '%s'",
			path, descriptor->name ? descriptor->name : "");
	module->descriptor = descriptor;
	return 0;
}

int module_load(const char *name, const struct ph_text_list *directories, struct module *module_r,
	struct ph_error *error)
{
	char path[PATH_BYTES];
	struct module module = { 0 };
	int result;

	if (!find_file(name, directories, path))
		return ph_error_set(error, PH_E_ABSENT, "no such module", "there is no module '%s' in %s",
			name, directories->count ? directories->items[0] : "no folder");
	module.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!module.handle)
		return ph_error_set(error, PH_E_UNSUPPORTED, "module cannot be used", "%s", dlerror());
	result = take_descriptor(name, path, &module, error);
	if (result != 0) {
		dlclose(module.handle);
		return result;
	}
	module.path = ph_strdup(path);
	*module_r = module;
	return 0;
}

void module_unload(struct module *module)
{
	if (module->handle && !module->ran)
		dlclose(module->handle);
	free((void *)(uintptr_t)module->path);
	*module = (struct module){ 0 };
}

/* --- All there are --- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_folder(const char *directory, const char **names, size_t *count, struct ph_pool *pool)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) && *count < MODULE_NAMES_MAX) {
		struct ph_str file = ph_str(entry->d_name);

		if (ph_str_ends(file, PH_STR(".so")))
			names[(*count)++] = ph_pool_str(pool, ph_str_slice(file, 0, file.len - 3)).data;
	}
	if (dir)
		closedir(dir);
}

struct ph_text_list module_list(const struct ph_text_list *directories, struct ph_pool *pool)
{
	const char **names = ph_pool_array(pool, MODULE_NAMES_MAX, sizeof(*names));
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < directories->count; i++)
		list_folder(directories->items[i], names, &count, pool);
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
			names[kept++] = names[i];
	}
	return (struct ph_text_list){ names, kept };
}

/* --- Order --- */

static bool contains(const char *const *names, const char *name)
{
	for (; names && *names; names++) {
		if (strcmp(*names, name) == 0)
			return true;
	}
	return false;
}

/* The index of the module that provides the service, or -1. */
static ptrdiff_t find_provider(const struct module_set *set, const char *service)
{
	for (size_t i = 0; i < set->count; i++) {
		if (contains(set->items[i].descriptor->provides, service))
			return (ptrdiff_t)i;
	}
	return -1;
}

static int refuse_duplicates(const struct module_set *set, struct ph_error *error)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct ph_module *module = set->items[i].descriptor;

		for (const char *const *name = module->provides; name && *name; name++) {
			ptrdiff_t first = find_provider(set, *name);

			if (first != (ptrdiff_t)i)
				return ph_error_set(error, PH_E_EXISTS, "two modules provide the same",
					"modules '%s' and '%s' both provide %s: use only one of them",
					set->items[first].descriptor->name, module->name, *name);
		}
	}
	return 0;
}

enum mark { NEW, BEGUN, DONE };

struct sorting {
	const struct module_set *set;
	enum mark *marks;
	struct module *sorted;
	size_t count;
};

/* Depth first: what a module needs goes before it. */
static int place(struct sorting *sorting, size_t index, struct ph_error *error)
{
	const struct ph_module *module = sorting->set->items[index].descriptor;

	if (sorting->marks[index] == DONE)
		return 0;
	if (sorting->marks[index] == BEGUN)
		return ph_error_set(error, PH_E_INVALID, "modules need each other in a circle",
			"module '%s' needs, through others, itself", module->name);
	sorting->marks[index] = BEGUN;
	for (const char *const *need = module->needs; need && *need; need++) {
		ptrdiff_t provider = find_provider(sorting->set, *need);
		int result;

		if (provider < 0)
			return ph_error_set(error, PH_E_ABSENT, "a module is missing",
				"module '%s' needs %s, which no module in use provides", module->name, *need);
		result = place(sorting, (size_t)provider, error);
		if (result != 0)
			return result;
	}
	sorting->marks[index] = DONE;
	sorting->sorted[sorting->count++] = sorting->set->items[index];
	return 0;
}

int module_sort(struct module_set *set, struct ph_error *error)
{
	struct sorting sorting = {
		.set = set,
		.marks = ph_alloc_array(set->count + 1, sizeof(enum mark)),
		.sorted = ph_alloc_array(set->count + 1, sizeof(struct module)),
	};
	int result = refuse_duplicates(set, error);

	for (size_t i = 0; i < set->count && result == 0; i++)
		result = place(&sorting, i, error);
	if (result == 0)
		memcpy(set->items, sorting.sorted, set->count * sizeof(struct module));
	free(sorting.sorted);
	free(sorting.marks);
	return result;
}

void module_mark_needed(const struct module_set *set, size_t index, bool *keep)
{
	const char *const *need = set->items[index].descriptor->needs;

	keep[index] = true;
	for (; need && *need; need++) {
		ptrdiff_t provider = find_provider(set, *need);

		if (provider >= 0 && !keep[provider])
			module_mark_needed(set, (size_t)provider, keep);
	}
}

const struct ph_protocol *module_protocol(const struct module_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct ph_protocol *const *protocol = set->items[i].descriptor->protocols;

		for (; protocol && *protocol; protocol++) {
			if (strcmp((*protocol)->name, name) == 0)
				return *protocol;
		}
	}
	return NULL;
}

/* --- Life --- */

static int offer(const struct ph_module *module, struct ph_error *error)
{
	for (size_t i = 0; module->provides && module->provides[i]; i++)
		service_add(module->provides[i], module->services[i]);
	if (module->objects)
		hook_add_objects(module->objects, module->name);
	return module->hooks ? hook_add_points(module->hooks, module->name, error) : 0;
}

/* An error without a text would leave the administrator alone. */
static int blame(const struct ph_module *module, const char *stage, int result, struct ph_error *error)
{
	struct ph_error reason = *error;

	return ph_error_set(error, result, reason.client, "module '%s' cannot %s: %s", module->name, stage,
		reason.detail[0] ? reason.detail : ph_code_name(result));
}

static int init_one(struct module *module, struct ph_error *error)
{
	const struct ph_module *descriptor = module->descriptor;
	int result;

	module->initialised = module->ran = true;
	if (!descriptor->init)
		return 0;
	hook_set_owner(descriptor->name);
	result = descriptor->init(error);
	hook_set_owner(NULL);
	return result == 0 ? 0 : blame(descriptor, "initialise", result, error);
}

int module_init_all(struct module_set *set, const bool *keep, struct ph_error *error)
{
	struct ph_hook_point *const core_points[] = { &conn_accept_hook, NULL };
	int result = hook_add_points(core_points, "core", error);

	for (size_t i = 0; i < set->count && result == 0; i++) {
		if (!keep || keep[i])
			result = offer(set->items[i].descriptor, error);
	}
	if (result == 0)
		result = hook_check_objects(error);
	for (size_t i = 0; i < set->count && result == 0; i++) {
		if (!keep || keep[i])
			result = init_one(&set->items[i], error);
	}
	return result;
}

int module_start_all(struct module_set *set, struct ph_error *error)
{
	for (size_t i = 0; i < set->count; i++) {
		struct module *module = &set->items[i];
		int result;

		if (!module->initialised)
			continue;
		result = module->descriptor->start ? module->descriptor->start(error) : 0;
		if (result != 0)
			return blame(module->descriptor, "start", result, error);
		module->started = true;
	}
	return 0;
}

void module_stop_all(struct module_set *set)
{
	for (size_t i = set->count; i > 0; i--) {
		struct module *module = &set->items[i - 1];

		if (module->started && module->descriptor->stop)
			module->descriptor->stop();
		if (module->descriptor->hooks || module->initialised) {
			hook_remove_owner(module->descriptor->name);
			lua_host_withdraw(module->descriptor->name);
		}
		module->started = module->initialised = false;
	}
	hook_remove_owner("core");
	service_clear();
}
