#include <config.h>

#include "lua_host_run.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <posthorn/fiber.h>
#include <posthorn/loop.h>
#include <posthorn/lua.h>

#include "../../core/conf_private.h"
#include "../../core/hook_private.h"
#include "../../core/log_private.h"

struct thing {
	const char *name;
	int size;
};

static const struct ph_object_type thing_type;

static void get_name(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(ph_str(((struct thing *)object)->name));
}

static void get_size(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_INT(((struct thing *)object)->size);
}

static void get_tags(void *object, struct ph_value *value_r)
{
	static const struct ph_str tags[] = { PH_STR_INIT("red"), PH_STR_INIT("blue") };
	(void)object;
	*value_r = (struct ph_value){ .type = PH_STRINGS, .strings = { tags, 2 } };
}

static void get_nothing(void *object, struct ph_value *value_r)
{
	(void)object;
	(void)value_r;
}

static void get_inner(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_OBJECT(&thing_type, object);
}

static int thing_times(lua_State *L)
{
	const struct thing *thing = ph_lua_object(L, 1, &thing_type);
	lua_pushinteger(L, thing->size * luaL_checkinteger(L, 2));
	return 1;
}

static const struct ph_object_type thing_type = {
	.name = "thing",
	.help = "Something to look at.",
	.fields = (const struct ph_object_field[]){ { "name", PH_STRING, get_name, "what it is called" },
		{ "size", PH_INTEGER, get_size, "how large it is" },
		{ "tags", PH_STRINGS, get_tags, "words on it" },
		{ "nothing", PH_STRING, get_nothing, "always absent" },
		{ "inner", PH_OBJECT, get_inner, "itself" }, { .name = NULL } },
	.methods =
		(const struct ph_object_method[]){
			{ "times", thing_times, "times(n) -> integer", "size by n" }, { .name = NULL } },
};

struct ph_hook_point decide_hook = {
	.name = "test.decide",
	.decides = true,
	.help = "Asked by tests.",
	.arguments = (const struct ph_hook_argument[]){ { "word", PH_STRING, NULL, "a word" },
		{ "thing", PH_OBJECT, &thing_type, "a thing" }, { .name = NULL } },
	.verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | PH_ALLOWS(PH_DEFER) |
		    PH_ALLOWS(PH_DISCONNECT) | PH_ALLOWS(PH_REWRITE) | PH_ALLOWS(PH_ROUTE) |
		    PH_ALLOWS(PH_READ_ONLY),
	.on_failure = { .kind = PH_DEFER,
		.code = 451,
		.enhanced = PH_STR_INIT("4.3.0"),
		.text = PH_STR_INIT("failed") },
	.route_fields = "to: where to",
	.example = "posthorn.on(\"test.decide\", function(session, word, thing)\n\treturn "
		   "posthorn.accept()\nend)",
};

struct ph_hook_point told_hook = {
	.name = "test.told",
	.help = "Told by tests.",
	.arguments =
		(const struct ph_hook_argument[]){ { "word", PH_STRING, NULL, "a word" }, { .name = NULL } },
};

struct policy_config test_policy;

static char folder[] = "/tmp/posthorn-test-XXXXXX";
static bool folder_is_made;
static char path[sizeof(folder) + 64];
static struct ph_pool *pool;
static char *logged;
static struct config whole_config;

static const char *in_folder(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void remove_folder(void)
{
	char command[sizeof(folder) + 16];
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command) != 0)
		perror(folder);
}

static void make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	folder_is_made = true;
	atexit(remove_folder);
	whole_config.public.hostname = "mx.example.org";
	config_apply(&whole_config);
}

void host_setup(void)
{
	static struct ph_hook_point *const points[] = { &decide_hook, &told_hook, NULL };
	struct ph_error error;
	if (!folder_is_made)
		make_folder();
	test_policy = (struct policy_config){ .library = "",
		.memory = 48 << 20,
		.call_memory = 8 << 20,
		.instructions = 3000000,
		.timeout = 5000,
		.burst = 2000 };
	struct log_config log = { .level = PH_LOG_DEBUG, .format = LOG_LOGFMT, .file = in_folder("log") };
	ck_assert_int_eq(log_open(&log, &error), 0);
	host_logged();
	ck_assert_int_eq(hook_add_points(points, "test", &error), 0);
	pool = ph_pool_new(1 << 20);
}

void host_teardown(void)
{
	lua_host_close();
	hook_remove_owner("test");
	ck_assert(!ph_hook_wanted(&decide_hook));
	ck_assert_uint_eq(hook_count(), 0);
	ph_pool_free(&pool);
	log_close();
	free(logged);
	logged = NULL;
	free((void *)(uintptr_t)test_policy.scripts.items);
}

void host_write(const char *name, const char *text)
{
	const char *slash = strchr(name, '/');
	if (slash) {
		char subfolder[64];
		snprintf(subfolder, sizeof(subfolder), "%.*s", (int)(slash - name), name);
		mkdir(in_folder(subfolder), 0700);
	}
	FILE *file = fopen(in_folder(name), "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, strlen(text), file), strlen(text));
	fclose(file);
}

static int open_scripts(const char *const *names, size_t count, struct ph_error *error)
{
	static char paths[4][sizeof(path)];
	const char **items = ph_alloc_array(count, sizeof(*items));
	for (size_t i = 0; i < count; i++) {
		memcpy(paths[i], in_folder(names[i]), sizeof(path));
		items[i] = paths[i];
	}
	lua_host_close();
	free((void *)(uintptr_t)test_policy.scripts.items);
	test_policy.scripts = (struct ph_text_list){ items, count };
	return lua_host_open(&test_policy, TEST_SCRIPTS, error);
}

void host_open(const char *script, ...)
{
	const char *names[4];
	size_t count = 0;
	struct ph_error error;
	va_list more;
	va_start(more, script);
	for (const char *name = script; name; name = va_arg(more, const char *))
		names[count++] = name;
	va_end(more);
	if (open_scripts(names, count, &error) < 0)
		ck_abort_msg("%s", error.detail);
}

int host_try(const char *text, struct ph_error *error)
{
	static const char *const names[] = { "demo.lua" };
	host_write("demo.lua", text);
	return open_scripts(names, 1, error);
}

void host_open_handler(const char *text)
{
	static char script[8192];
	struct ph_error error;
	snprintf(script, sizeof(script),
		"local posthorn = require \"posthorn\"\n"
		"posthorn.on(\"test.decide\", function(session, word, thing)\n"
		"%s\n"
		"end)\n",
		text);
	if (host_try(script, &error) < 0)
		ck_abort_msg("%s", error.detail);
}

static struct ph_verdict ask_in(struct ph_pool *own_pool, const char *word)
{
	/* What a protocol has on the stack above. */
	volatile char buffer[32 << 10];
	buffer[0] = 'x';
	ck_assert_int_eq(buffer[0], 'x');
	struct thing thing = { "box", 21 };
	const struct ph_value arguments[] = { PH_VALUE_STR(ph_str(word)),
		PH_VALUE_OBJECT(&thing_type, &thing) };
	struct ph_verdict verdict;
	ph_hook_run(&decide_hook, NULL, arguments, own_pool, &verdict);
	return verdict;
}

struct ph_verdict host_ask(const char *word)
{
	ph_pool_clear(pool);
	return ask_in(pool, word);
}

struct asking {
	unsigned left;
	unsigned next;
	unsigned accepted;
	struct ph_wait wait;
};

static void ask_once(void *arg)
{
	struct asking *asking = arg;
	struct ph_pool *own_pool = ph_pool_new(0);
	char word[16];
	snprintf(word, sizeof(word), "%u", asking->next++);
	struct ph_verdict verdict = ask_in(own_pool, word);
	if (verdict.kind == PH_ACCEPT &&
		ph_str_eq(ph_verdict_field(&verdict, "word")->values[0], ph_str(word)))
		asking->accepted++;
	ph_pool_free(&own_pool);
	if (--asking->left == 0)
		ph_wake(asking->wait, 0);
}

unsigned host_ask_many(unsigned count)
{
	struct asking asking = { .left = count, .wait = ph_wait_begin() };
	for (unsigned i = 0; i < count; i++)
		ph_fiber_start("ask", ask_once, &asking);
	ck_assert_int_eq(ph_wait_park(asking.wait, PH_FOREVER), 0);
	return asking.accepted;
}

const char *host_logged(void)
{
	free(logged);
	logged = ph_alloc(1 << 20);
	FILE *file = fopen(in_folder("log"), "r+");
	size_t len = fread(logged, 1, (1 << 20) - 1, file);
	logged[len] = '\0';
	ck_assert_int_eq(ftruncate(fileno(file), 0), 0);
	fclose(file);
	return logged;
}
