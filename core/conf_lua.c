/* From the file to a tree of values. The file is a Lua chunk that sees no library and no name but its own; it
 * is given text only (never bytecode), some memory and some instructions, and what it leaves in its globals
 * is copied into the pool. Nothing of Lua survives the reading. */
#include <config.h>

#include "conf_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

enum {
	MEMORY_MAX = 64 << 20,
	INSTRUCTIONS_MAX = 20000000,
	DEPTH_MAX = 12,
	VALUES_MAX = 200000,
};

struct evaluation {
	struct conf_reader *reader;
	struct conf_lines *lines;
	struct ph_str source;
	size_t memory_used;
	unsigned values;
	struct conf_value root;
};

static void *allocate(void *arg, void *old, size_t old_size, size_t size)
{
	struct evaluation *evaluation = arg;
	size_t counted = old ? old_size : 0;
	void *new;

	if (size == 0) {
		free(old);
		evaluation->memory_used -= counted;
		return NULL;
	}
	if (size > counted && evaluation->memory_used + (size - counted) > MEMORY_MAX)
		return NULL;
	new = realloc(old, size);
	if (new)
		evaluation->memory_used += size - counted;
	return new;
}

static void stop_running(lua_State *L, lua_Debug *debug)
{
	lua_getinfo(L, "l", debug);
	lua_pushfstring(L, ":%d: the configuration computes for too long", debug->currentline);
	lua_error(L);
}

/* The __index of the globals: a name without a value is a slip of the pen more often than a wish for nil. */
static int refuse_name(lua_State *L)
{
	return luaL_error(L, "nothing is named '%s' (text needs quotes)", luaL_tolstring(L, 2, NULL));
}

/* --- Copying --- */

static void copy_value(struct evaluation *evaluation, lua_State *L, const char *path, unsigned depth,
	struct conf_value *value_r);

static bool is_word(const char *text)
{
	if (!ph_is_alpha(*text) && *text != '_')
		return false;
	for (text++; *text; text++) {
		if (!ph_is_alpha(*text) && !ph_is_digit(*text) && *text != '_')
			return false;
	}
	return true;
}

const char *conf_path_key(struct ph_pool *pool, const char *path, const char *key)
{
	if (!is_word(key))
		return ph_pool_printf(pool, "%s[\"%s\"]", path, key).data;
	return ph_pool_printf(pool, "%s%s%s", path, path[0] ? "." : "", key).data;
}

const char *conf_path_index(struct ph_pool *pool, const char *path, int64_t index)
{
	return ph_pool_printf(pool, "%s[%" PRId64 "]", path, index).data;
}

static int compare_entries(const void *a, const void *b)
{
	const struct conf_entry *left = a, *right = b;

	if (left->key && right->key)
		return strcmp(left->key, right->key);
	if (left->key || right->key)
		return left->key ? 1 : -1;
	return left->index < right->index ? -1 : left->index > right->index;
}

static size_t count_entries(lua_State *L)
{
	size_t count = 0;

	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		count++;
	return count;
}

/* Takes the key at stack position -2; false when it is of no use. */
static bool copy_key(struct evaluation *evaluation, lua_State *L, const char *path, struct conf_entry *entry)
{
	struct ph_pool *pool = evaluation->reader->pool;
	size_t len;
	const char *text;

	if (lua_isinteger(L, -2)) {
		entry->index = lua_tointeger(L, -2);
		return true;
	}
	text = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &len) : NULL;
	if (!text || strlen(text) != len) {
		conf_problem(evaluation->reader, conf_lines_find(evaluation->lines, path), path,
			"a key must be text or a whole number");
		return false;
	}
	entry->key = ph_pool_str(pool, ph_str_of(text, len)).data;
	return true;
}

static void copy_table(struct evaluation *evaluation, lua_State *L, const char *path, unsigned depth,
	struct conf_value *value)
{
	struct ph_pool *pool = evaluation->reader->pool;
	size_t count = count_entries(L);

	value->kind = CONF_TABLE;
	value->entries = ph_pool_array(pool, count + 1, sizeof(*value->entries));
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		struct conf_entry *entry = &value->entries[value->count];

		if (!copy_key(evaluation, L, path, entry))
			continue;
		value->count++;
		copy_value(evaluation, L,
			entry->key ? conf_path_key(pool, path, entry->key)
				   : conf_path_index(pool, path, entry->index),
			depth + 1, &entry->value);
	}
	qsort(value->entries, value->count, sizeof(*value->entries), compare_entries);
}

static void copy_value(struct evaluation *evaluation, lua_State *L, const char *path, unsigned depth,
	struct conf_value *value)
{
	int type = lua_type(L, -1);
	size_t len;
	const char *text;

	value->line = conf_lines_find(evaluation->lines, path);
	if (depth > DEPTH_MAX || ++evaluation->values > VALUES_MAX || !lua_checkstack(L, 8)) {
		if (evaluation->values < 2 * VALUES_MAX)
			conf_problem(evaluation->reader, value->line, path,
				"tables within tables too deep, or too many values");
		evaluation->values = 2 * VALUES_MAX;
		return;
	}
	switch (type) {
	case LUA_TBOOLEAN:
		value->boolean = lua_toboolean(L, -1);
		break;
	case LUA_TNUMBER:
		value->kind = lua_isinteger(L, -1) ? CONF_INTEGER : CONF_REAL;
		value->integer = lua_tointeger(L, -1);
		value->real = lua_tonumber(L, -1);
		break;
	case LUA_TSTRING:
		text = lua_tolstring(L, -1, &len);
		value->kind = CONF_TEXT;
		value->text = ph_pool_str(evaluation->reader->pool, ph_str_of(text, len));
		break;
	case LUA_TTABLE:
		copy_table(evaluation, L, path, depth, value);
		break;
	default:
		conf_problem(evaluation->reader, value->line, path, "a %s is no value here",
			lua_typename(L, type));
	}
}

/* --- Running --- */

static int run_and_copy(lua_State *L)
{
	struct evaluation *evaluation = lua_touserdata(L, 1);

	lua_pushglobaltable(L);
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, refuse_name);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	if (luaL_loadbufferx(L, evaluation->source.data, evaluation->source.len, "=", "t") != LUA_OK)
		return lua_error(L);
	lua_sethook(L, stop_running, LUA_MASKCOUNT, INSTRUCTIONS_MAX);
	lua_call(L, 0, 1);
	if (!lua_isnil(L, -1))
		return luaL_error(
			L, "it returns a value, which nobody reads: set the options by their names");
	lua_pop(L, 1);
	lua_sethook(L, NULL, 0, 0);
	copy_table(evaluation, L, "", 0, &evaluation->root);
	return 0;
}

/* Lua's message begins with ":LINE: " (the chunk has no name): the line goes where all lines go. */
static void note_lua_error(struct conf_reader *reader, const char *message)
{
	char *end = NULL;
	long line = message[0] == ':' ? strtol(message + 1, &end, 10) : 0;

	if (!end || strncmp(end, ": ", 2) != 0)
		conf_problem(reader, 0, NULL, "%s", message);
	else
		conf_problem(reader, (int)line, NULL, "%s", end + 2);
}

const struct conf_value *conf_evaluate(struct conf_reader *reader, struct ph_str source)
{
	struct evaluation evaluation = { .reader = reader, .source = source };
	size_t problems = reader->problem_count;
	struct conf_value *root = NULL;
	lua_State *L = lua_newstate(allocate, &evaluation);

	if (!L) {
		conf_problem(reader, 0, NULL, "not enough memory");
		return NULL;
	}
	evaluation.lines = conf_lines_new(source);
	lua_pushcfunction(L, run_and_copy);
	lua_pushlightuserdata(L, &evaluation);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK)
		note_lua_error(reader,
			lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error that is no text");
	lua_close(L);
	conf_lines_free(&evaluation.lines);
	if (reader->problem_count == problems) {
		root = ph_pool_alloc(reader->pool, sizeof(*root));
		*root = evaluation.root;
	}
	return root;
}

const struct conf_value *conf_get(const struct conf_value *table, const char *key)
{
	for (size_t i = 0; table && i < table->count; i++) {
		if (table->entries[i].key && strcmp(table->entries[i].key, key) == 0)
			return &table->entries[i].value;
	}
	return NULL;
}
