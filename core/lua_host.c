/* The worker's Lua state: opening and closing it, and loading the scripts.
 *
 * Each policy script has global variables of its own (what it does not set, it finds in the common ones), and
 * requires modules from its own folder or from the library's. Nothing is required once the scripts are
 * loaded: a hook call never waits for the disk. */
#include <config.h>

#include "lua_host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>

#include <posthorn/log.h>
#include <posthorn/lua.h>
#include <posthorn/mem.h>

#include "lua_private.h"

/* Loading may compute so many times more than a hook call does, but not forever. */
enum { LOADING_FACTOR = 50 };
enum { LARGEST_FILE = 4 << 20 };

const struct ph_option policy_options[] = { PH_OPTION_PATHS(struct policy_config, scripts, "{}", 100,
						    "The Lua scripts with policies, run in this order."),
	PH_OPTION_PATH(struct policy_config, library, "",
		"The folder where scripts find `require \"posthorn\"`; unset: where it was installed."),
	PH_OPTION_SIZE(struct policy_config, memory, "128M", 1 << 20, INT64_C(1) << 40,
		"How much memory the policies of one worker may use together."),
	PH_OPTION_SIZE(struct policy_config, call_memory, "16M", 1 << 16, INT64_C(1) << 40,
		"How much memory one hook call may add to that."),
	PH_OPTION_NUMBER(struct policy_config, instructions, "10000000", 1000, INT64_C(1) << 40,
		"How many Lua instructions one hook call may run; loading the scripts, 50 times as many."),
	PH_OPTION_TIME(struct policy_config, timeout, "30s", 1, 86400000,
		"How long one hook call may take, with its waits; a handler can be given another time."),
	PH_OPTION_TIME(struct policy_config, burst, "250ms", 1, 60000,
		"How long one hook call may keep the processor between two waits; loading the scripts, 50 "
		"times as long."),
	PH_OPTIONS_END };

static struct {
	lua_State *L; /* the main thread */
	const struct policy_config *config;
	const char *library;
	bool loading;
	const char **files;
	size_t file_count;
} host;

/* Keys in the registry. */
static const char library_modules_key;

bool lua_host_loading(void)
{
	return host.loading;
}

const struct policy_config *lua_host_config(void)
{
	return host.config;
}

lua_State *lua_host_main(void)
{
	return host.L;
}

struct ph_text_list lua_host_files(void)
{
	return (struct ph_text_list){ host.files, host.file_count };
}

/* --- Files --- */

static void remember_file(const char *path)
{
	host.files = ph_realloc_array(host.files, host.file_count + 1, sizeof(*host.files));
	host.files[host.file_count++] = ph_strdup(path);
}

/* Pushes the compiled file, or the reason why not. LUA_ERRFILE when it cannot be read. */
static int load_file(lua_State *L, const char *path, const char *chunk_name)
{
	FILE *file = fopen(path, "re");
	if (!file) {
		lua_pushfstring(L, "%s: %s", path, strerror(errno));
		return LUA_ERRFILE;
	}
	char *text = ph_alloc(LARGEST_FILE);
	size_t len = fread(text, 1, LARGEST_FILE, file);
	bool whole = len < LARGEST_FILE && !ferror(file);
	fclose(file);
	int status = whole ? luaL_loadbufferx(L, text, len, chunk_name, "t") : LUA_ERRFILE;
	free(text);
	if (!whole)
		lua_pushfstring(L, "%s: cannot be read, or is too large", path);
	else
		remember_file(path);
	return status;
}

/* --- require --- */

static bool is_module_name(struct ph_str name)
{
	bool after_dot = true;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		bool dot = c == '.';
		if ((dot && after_dot) ||
			(!dot && !ph_is_alpha(c) && !ph_is_digit(c) && c != '_' && c != '-'))
			return false;
		after_dot = dot;
	}
	return !after_dot;
}

/* Pushes the compiled module when folder/pattern (with '?' for the name) is there; raises its errors. */
static bool load_module(lua_State *L, const char *folder, const char *name, const char *pattern)
{
	const char *as_path = luaL_gsub(L, name, ".", "/");
	const char *chunk_name = luaL_gsub(L, pattern, "?", as_path);
	const char *path = lua_pushfstring(L, "%s/%s", folder, chunk_name);
	const char *at_name = lua_pushfstring(L, "@%s", chunk_name);
	FILE *file = fopen(path, "re");
	if (!file) {
		lua_pop(L, 4);
		return false;
	}
	fclose(file);
	if (load_file(L, path, at_name) != LUA_OK)
		lua_error(L);
	lua_insert(L, -5);
	lua_pop(L, 4);
	return true;
}

/* Runs the module whose function is at the top with its name (and, for the library itself, the primitives it
 * is built on) and keeps its value (true when it has none) in the table `modules`. Leaves the value. */
static int run_module(lua_State *L, const char *name, int modules)
{
	lua_pushstring(L, name);
	if (strcmp(name, "posthorn") == 0)
		lua_library_push(L);
	else
		lua_pushnil(L);
	lua_call(L, 2, 1);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		lua_pushboolean(L, true);
	}
	lua_pushvalue(L, -1);
	lua_setfield(L, modules, name);
	return 1;
}

static int require_from_library(lua_State *L, const char *name)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &library_modules_key);
	int modules = lua_gettop(L);
	if (lua_getfield(L, modules, name) != LUA_TNIL)
		return 1;
	if (!load_module(L, host.library, name, "?.lua") && !load_module(L, host.library, name, "?/init.lua"))
		return luaL_error(
			L, "module '%s' is neither in the script's folder nor in %s", name, host.library);
	return run_module(L, name, modules);
}

/* Upvalues: the script's folder, its environment, its modules. */
static int require_in_script(lua_State *L)
{
	struct ph_str name = ph_lua_check_str(L, 1);
	lua_settop(L, 1);
	if (lua_getfield(L, lua_upvalueindex(3), name.data) != LUA_TNIL)
		return 1;
	if (!host.loading)
		return luaL_error(L, "require '%s': works only while the scripts are loaded", name.data);
	if (!is_module_name(name))
		return luaL_error(L, "'%s' is not the name of a module", name.data);
	const char *folder = lua_tostring(L, lua_upvalueindex(1));
	bool of_library = ph_str_eq(name, PH_STR("posthorn")) || ph_str_starts(name, PH_STR("posthorn."));
	if (!of_library && load_module(L, folder, name.data, "?.lua")) {
		lua_pushvalue(L, lua_upvalueindex(2));
		lua_setupvalue(L, -2, 1);
		return run_module(L, name.data, lua_upvalueindex(3));
	}
	require_from_library(L, name.data);
	lua_pushvalue(L, -1);
	lua_setfield(L, lua_upvalueindex(3), name.data);
	return 1;
}

static int require_in_library(lua_State *L)
{
	struct ph_str name = ph_lua_check_str(L, 1);
	if (!is_module_name(name))
		return luaL_error(L, "'%s' is not the name of a module", name.data);
	return require_from_library(L, name.data);
}

/* --- Scripts --- */

/* Pushes a table of global variables that falls back to the common ones. */
static void push_environment(lua_State *L, struct ph_str folder)
{
	lua_newtable(L);
	lua_newtable(L);
	lua_pushglobaltable(L);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	lua_pushvalue(L, -1);
	lua_setfield(L, -2, "_G");
	ph_lua_push_str(L, folder);
	lua_pushvalue(L, -2);
	lua_newtable(L);
	lua_pushcclosure(L, require_in_script, 3);
	lua_setfield(L, -2, "require");
}

static void run_script(lua_State *L, const char *path)
{
	struct ph_str whole = ph_str(path);
	ptrdiff_t slash = ph_str_rfind(whole, '/');
	struct ph_str folder = slash > 0 ? ph_str_slice(whole, 0, (size_t)slash) : PH_STR(".");
	lua_settop(L, 0);
	const char *chunk_name = lua_pushfstring(L, "@%s", path + slash + 1);
	if (load_file(L, path, chunk_name) != LUA_OK)
		lua_error(L);
	push_environment(L, folder);
	lua_setupvalue(L, -2, 1);
	lua_call(L, 0, 0);
}

/* All that is done with the state before it is used; protected. */
static int open_and_run(lua_State *L)
{
	lua_std_open(L);
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &library_modules_key);
	lua_pushcfunction(L, require_in_library);
	lua_setglobal(L, "require");
	for (size_t i = 0; i < host.config->scripts.count; i++)
		run_script(L, host.config->scripts.items[i]);
	return 0;
}

static int run_all(lua_State *L, struct ph_error *error)
{
	struct lua_failure failure = { .text = "" };
	struct lua_call call;
	lua_call_begin(&call, host.config->instructions * LOADING_FACTOR, host.config->burst * LOADING_FACTOR,
		PH_FOREVER / 2);
	call.failure = &failure;
	host.loading = true;
	lua_budget_watch(L);
	lua_pushcfunction(L, lua_hook_note_failure);
	lua_pushcfunction(L, open_and_run);
	int status = lua_pcall(L, 0, 0, 1);
	lua_settop(L, 0);
	host.loading = false;
	lua_call_end(&call);
	if (status == LUA_OK)
		return 0;
	lua_hook_complete_failure(&call, status);
	return ph_error_set(error, PH_E_INVALID, "a policy script does not load", "%s", failure.text);
}

/* --- Open and close --- */

static int panic(lua_State *L)
{
	ph_log(PH_LOG_ERROR, "unprotected Lua error", PH_LOG_TEXT("error", luaL_tolstring(L, -1, NULL)));
	return 0;
}

int lua_host_open(const struct policy_config *config, const char *script_directory, struct ph_error *error)
{
	PH_ASSERT(!host.L);
	host.config = config;
	host.library = *config->library ? config->library : script_directory;
	lua_memory_init(config);
	host.L = lua_newstate(lua_memory_allocate, NULL);
	if (!host.L)
		return ph_error_set(error, PH_E_LIMIT, "out of memory", "the policies' memory is too small");
	lua_atpanic(host.L, panic);
	int code = run_all(host.L, error);
	if (code < 0) {
		lua_host_close();
		return code;
	}
	lua_memory_loaded();
	return 0;
}

void lua_host_close(void)
{
	if (!host.L)
		return;
	if (lua_hook_running() > 0) {
		ph_log(PH_LOG_ERROR, "policies are still running",
			PH_LOG_NUMBER("count", lua_hook_running()));
		return;
	}
	lua_hook_forget_all();
	lua_session_forget_all();
	lua_close(host.L);
	for (size_t i = 0; i < host.file_count; i++)
		free((void *)(uintptr_t)host.files[i]);
	free(host.files);
	host.files = NULL;
	host.file_count = 0;
	host.L = NULL;
}
