/* From the tree to structs, as the option tables say. Whatever is wrong is noted, with its line and path, and
 * the reading goes on: one run shows all problems. A field whose value is refused keeps its default. */
#include <config.h>

#include "conf_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096, LIST_MAX = 10000 };

/* --- Problems --- */

void conf_reader_init(struct conf_reader *reader, struct ph_pool *pool, const char *file)
{
	ptrdiff_t slash = ph_str_rfind(ph_str(file), '/');

	*reader = (struct conf_reader){ .pool = pool, .file = file };
	reader->directory =
		slash < 0 ? "." : ph_pool_str(pool, ph_str_slice(ph_str(file), 0, (size_t)slash)).data;
}

void conf_reader_free(struct conf_reader *reader)
{
	free(reader->problems);
	reader->problems = NULL;
}

void conf_problem(struct conf_reader *reader, int line, const char *path, const char *format, ...)
{
	struct ph_pool *pool = reader->pool;
	struct ph_str where, text;
	va_list arguments;

	va_start(arguments, format);
	text = ph_pool_vprintf(pool, format, arguments);
	va_end(arguments);
	where = ph_pool_printf(pool, line > 0 ? "%s:%d" : "%s", reader->file, line);
	reader->problems =
		ph_realloc_array(reader->problems, reader->problem_count + 1, sizeof(*reader->problems));
	reader->problems[reader->problem_count].line = line;
	reader->problems[reader->problem_count++].text = ph_pool_printf(
		pool, "%s: %s%s%s", where.data, path ? path : "", path && *path ? ": " : "", text.data)
								 .data;
}

static int compare_problems(const void *a, const void *b)
{
	const struct conf_problem *left = a, *right = b;

	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return strcmp(left->text, right->text);
}

void conf_print_problems(struct conf_reader *reader, struct ph_buf *out)
{
	if (reader->problem_count > 0)
		qsort(reader->problems, reader->problem_count, sizeof(*reader->problems), compare_problems);
	for (size_t i = 0; i < reader->problem_count; i++)
		ph_buf_printf(out, "%s\n", reader->problems[i].text);
}

/* --- One value --- */

/* What one value needs while it is read. */
struct slot {
	struct conf_reader *reader;
	const struct ph_option *option;
	const char *path;
	int line;
	void *target; /* where the option's value goes */
};

static const char *kind_name(const struct conf_value *value)
{
	static const char *const names[] = { "a boolean", "a number", "a number", "text", "a table" };

	return names[value->kind];
}

static void refuse_kind(const struct slot *slot, const struct conf_value *value, const char *wanted)
{
	conf_problem(slot->reader, slot->line, slot->path, "must be %s, not %s", wanted, kind_name(value));
}

static void print_bound(const struct ph_option *option, int64_t bound, struct ph_buf *out)
{
	if (option->type == PH_OPT_TIME)
		conf_print_time(out, bound);
	else if (option->type == PH_OPT_SIZE)
		conf_print_size(out, bound);
	else
		ph_buf_printf(out, "%" PRId64, bound);
}

static bool check_bounds(const struct slot *slot, int64_t number)
{
	const struct ph_option *option = slot->option;
	bool low = number < option->minimum, high = option->maximum != 0 && number > option->maximum;
	struct ph_buf bound;

	if (!low && !high)
		return true;
	ph_buf_init(&bound, 64);
	print_bound(option, low ? option->minimum : option->maximum, &bound);
	conf_problem(slot->reader, slot->line, slot->path, "must be at %s %.*s", low ? "least" : "most",
		PH_STR_ARGS(ph_buf_str(&bound)));
	ph_buf_free(&bound);
	return false;
}

/* A number of seconds with a fraction, as milliseconds. */
static bool seconds(double real, int64_t *number_r)
{
	double number = real * 1000;

	if (!isfinite(number) || fabs(number) > 9e15)
		return false;
	*number_r = (int64_t)(number + (number < 0 ? -0.5 : 0.5));
	return true;
}

static bool take_number(const struct slot *slot, const struct conf_value *value, int64_t *number_r)
{
	enum ph_option_type type = slot->option->type;

	*number_r = value->integer;
	if (type == PH_OPT_TIME && value->kind == CONF_INTEGER)
		return !__builtin_mul_overflow(value->integer, 1000, number_r);
	if (type == PH_OPT_TIME && value->kind == CONF_REAL)
		return seconds(value->real, number_r);
	if (type == PH_OPT_TIME && value->kind == CONF_TEXT)
		return conf_parse_time(value->text, number_r);
	if (type == PH_OPT_SIZE && value->kind == CONF_TEXT)
		return conf_parse_size(value->text, number_r);
	return value->kind == CONF_INTEGER;
}

static void fill_number(const struct slot *slot, const struct conf_value *value)
{
	static const char *const wanted[] = {
		[PH_OPT_NUMBER] = "a whole number",
		[PH_OPT_SIZE] = "a size: a number of bytes, or text such as \"50M\" (K, M, G)",
		[PH_OPT_TIME] = "a time: a number of seconds, or text such as \"250ms\", \"30s\", \"5m\", "
				"\"12h\", \"7d\"",
	};
	int64_t number;

	if (!take_number(slot, value, &number))
		conf_problem(slot->reader, slot->line, slot->path, "must be %s", wanted[slot->option->type]);
	else if (check_bounds(slot, number))
		*(int64_t *)slot->target = number;
}

static void fill_bool(const struct slot *slot, const struct conf_value *value)
{
	if (value->kind != CONF_BOOL)
		refuse_kind(slot, value, "true or false");
	else
		*(bool *)slot->target = value->boolean;
}

static const char *resolve_path(const struct conf_reader *reader, struct ph_str path)
{
	if (path.len == 0 || path.data[0] == '/')
		return path.len ? path.data : "";
	return ph_pool_printf(reader->pool, "%s/%.*s", reader->directory, PH_STR_ARGS(path)).data;
}

/* The text as a C string, in the pool; NULL when it is refused. */
static const char *take_text(const struct slot *slot, const struct conf_value *value, size_t max)
{
	bool is_path = slot->option->type == PH_OPT_PATH || slot->option->type == PH_OPT_PATHS;

	if (value->kind != CONF_TEXT)
		refuse_kind(slot, value, "text");
	else if (ph_str_find(value->text, '\0') >= 0)
		conf_problem(slot->reader, slot->line, slot->path, "must not hold a zero byte");
	else if (value->text.len > max)
		conf_problem(slot->reader, slot->line, slot->path, "must be at most %zu bytes long", max);
	else
		return is_path           ? resolve_path(slot->reader, value->text)
		       : value->text.len ? value->text.data
					 : "";
	return NULL;
}

static void fill_text(const struct slot *slot, const struct conf_value *value)
{
	const struct ph_option *option = slot->option;
	bool bounded = option->type == PH_OPT_TEXT && option->maximum > 0;
	const char *text = take_text(slot, value, bounded ? (size_t)option->maximum : TEXT_MAX);

	if (text && (int64_t)value->text.len < option->minimum)
		conf_problem(slot->reader, slot->line, slot->path,
			option->minimum == 1 ? "must not be empty"
					     : "must be at least %" PRId64 " bytes long",
			option->minimum);
	else if (text)
		*(const char **)slot->target = text;
}

static void fill_choice(const struct slot *slot, const struct conf_value *value)
{
	struct ph_buf list;
	const char *near;

	if (value->kind != CONF_TEXT) {
		refuse_kind(slot, value, "text");
		return;
	}
	ph_buf_init(&list, TEXT_MAX);
	for (int i = 0; slot->option->choices[i]; i++) {
		if (ph_str_eq(value->text, ph_str(slot->option->choices[i]))) {
			*(int *)slot->target = i;
			ph_buf_free(&list);
			return;
		}
		ph_buf_printf(&list, "%s\"%s\"", i ? ", " : "", slot->option->choices[i]);
	}
	near = value->text.len ? conf_near(value->text.data, slot->option->choices) : NULL;
	conf_problem(slot->reader, slot->line, slot->path,
		near ? "'%.*s' is none of %.*s; did you mean '%s'?" : "'%.*s' is none of %.*s",
		PH_STR_ARGS(value->text), PH_STR_ARGS(ph_buf_str(&list)), near);
	ph_buf_free(&list);
}

/* --- Lists and maps --- */

/* How many items a list has; notes what is no item. */
static size_t count_items(const struct slot *slot, const struct conf_value *value)
{
	size_t most = slot->option->maximum > 0 ? (size_t)slot->option->maximum : LIST_MAX;
	size_t count = 0;

	for (; count < value->count && !value->entries[count].key; count++) {
		if (value->entries[count].index != (int64_t)count + 1) {
			conf_problem(slot->reader, slot->line, slot->path, "item %zu is missing in the list",
				count + 1);
			return 0;
		}
	}
	if (count < value->count)
		conf_problem(slot->reader, value->entries[count].value.line, slot->path,
			"must be a list; '%s = ...' is not one of its items", value->entries[count].key);
	if (count > most)
		conf_problem(slot->reader, slot->line, slot->path, "must have at most %zu items", most);
	return count > most ? most : count;
}

static struct ph_text_list take_list(const struct slot *slot, const struct conf_value *value)
{
	size_t count = count_items(slot, value), taken = 0;
	const char **items = ph_pool_array(slot->reader->pool, count + 1, sizeof(*items));

	for (size_t i = 0; i < count; i++) {
		const struct conf_value *item = &value->entries[i].value;
		struct slot inner = *slot;
		const char *text;

		inner.path = conf_path_index(slot->reader->pool, slot->path, (int64_t)i + 1);
		inner.line = item->line;
		text = take_text(&inner, item, TEXT_MAX);
		if (text)
			items[taken++] = text;
	}
	return (struct ph_text_list){ items, taken };
}

/* One text alone may stand for a list of one. */
static struct ph_text_list take_text_or_list(const struct slot *slot, const struct conf_value *value)
{
	const char **items, *text;

	if (value->kind == CONF_TABLE)
		return take_list(slot, value);
	if (value->kind != CONF_TEXT) {
		refuse_kind(slot, value, "a list of texts");
		return (struct ph_text_list){ 0 };
	}
	items = ph_pool_array(slot->reader->pool, 1, sizeof(*items));
	text = take_text(slot, value, TEXT_MAX);
	items[0] = text;
	return (struct ph_text_list){ items, text != NULL };
}

static void fill_list(const struct slot *slot, const struct conf_value *value)
{
	*(struct ph_text_list *)slot->target = take_text_or_list(slot, value);
}

static void fill_map(const struct slot *slot, const struct conf_value *value)
{
	struct ph_text_map *map = slot->target;
	struct ph_text_map_entry *entries;

	if (value->kind != CONF_TABLE) {
		refuse_kind(slot, value, "a table");
		return;
	}
	*map = (struct ph_text_map){ 0 };
	if (slot->option->maximum > 0 && value->count > (size_t)slot->option->maximum) {
		conf_problem(slot->reader, slot->line, slot->path, "must have at most %" PRId64 " entries",
			slot->option->maximum);
		return;
	}
	entries = ph_pool_array(slot->reader->pool, value->count + 1, sizeof(*entries));
	for (size_t i = 0; i < value->count; i++) {
		const struct conf_entry *entry = &value->entries[i];
		struct slot inner = *slot;

		inner.line = entry->value.line;
		if (!entry->key) {
			conf_problem(slot->reader, inner.line, slot->path,
				"must have names as keys: { [\"name\"] = \"value\" }");
			continue;
		}
		inner.path = conf_path_key(slot->reader->pool, slot->path, entry->key);
		entries[map->count].key = entry->key;
		entries[map->count++].values = take_text_or_list(&inner, &entry->value);
	}
	map->entries = entries;
}

/* --- Tables --- */

static void fill_table(const struct slot *slot, const struct conf_value *value)
{
	if (value && value->kind != CONF_TABLE)
		refuse_kind(slot, value, "a table");
	else
		conf_fill(slot->reader, slot->option->fields, value, slot->path, slot->line, slot->target);
}

static void fill_tables(const struct slot *slot, const struct conf_value *value)
{
	struct ph_table_list *list = slot->target;
	size_t size = slot->option->item_size;

	*list = (struct ph_table_list){ .item_size = size };
	if (!value)
		return;
	if (value->kind != CONF_TABLE) {
		refuse_kind(slot, value, "a list of tables");
		return;
	}
	list->count = count_items(slot, value);
	list->items = ph_pool_array(slot->reader->pool, list->count + 1, size);
	for (size_t i = 0; i < list->count; i++) {
		const struct conf_value *item = &value->entries[i].value;
		struct slot inner = *slot;

		inner.path = conf_path_index(slot->reader->pool, slot->path, (int64_t)i + 1);
		inner.line = item->line;
		inner.target = (char *)list->items + i * size;
		fill_table(&inner, item);
	}
}

static void fill_value(const struct slot *slot, const struct conf_value *value)
{
	static void (*const fillers[])(const struct slot *, const struct conf_value *) = {
		[PH_OPT_BOOL] = fill_bool,
		[PH_OPT_NUMBER] = fill_number,
		[PH_OPT_SIZE] = fill_number,
		[PH_OPT_TIME] = fill_number,
		[PH_OPT_TEXT] = fill_text,
		[PH_OPT_PATH] = fill_text,
		[PH_OPT_CHOICE] = fill_choice,
		[PH_OPT_LIST] = fill_list,
		[PH_OPT_PATHS] = fill_list,
		[PH_OPT_MAP] = fill_map,
		[PH_OPT_TABLE] = fill_table,
		[PH_OPT_TABLES] = fill_tables,
	};

	fillers[slot->option->type](slot, value);
}

/* --- Defaults --- */

/* `{ "a", "b" }` as a table of texts. */
static void parse_fallback_list(struct ph_pool *pool, struct ph_str text, struct conf_value *value)
{
	value->kind = CONF_TABLE;
	value->entries = ph_pool_array(pool, text.len + 1, sizeof(*value->entries));
	for (;;) {
		ptrdiff_t from = ph_str_find(text, '"'), len;

		if (from < 0)
			return;
		text = ph_str_slice(text, (size_t)from + 1, text.len);
		len = ph_str_find(text, '"');
		PH_ASSERT(len >= 0);
		value->entries[value->count].index = (int64_t)value->count + 1;
		value->entries[value->count].value = (struct conf_value){ .kind = CONF_TEXT,
			.text = ph_pool_str(pool, ph_str_slice(text, 0, (size_t)len)) };
		value->count++;
		text = ph_str_slice(text, (size_t)len + 1, text.len);
	}
}

/* The default, as the file would give it. */
static void parse_fallback(struct ph_pool *pool, const struct ph_option *option, struct conf_value *value)
{
	struct ph_str text = ph_str(option->fallback);

	*value = (struct conf_value){ .kind = CONF_TEXT, .text = text };
	if (option->type == PH_OPT_BOOL) {
		value->kind = CONF_BOOL;
		value->boolean = ph_str_eq(text, PH_STR("true"));
	} else if (option->type == PH_OPT_NUMBER) {
		value->kind = CONF_INTEGER;
		PH_ASSERT(conf_parse_size(text, &value->integer));
	} else if (text.len > 0 && text.data[0] == '{') {
		parse_fallback_list(pool, text, value);
	}
}

/* Defaults are not checked against the bounds of what a file may say. */
static void fill_fallback(const struct slot *slot)
{
	struct ph_option unbounded = *slot->option;
	struct slot inner = *slot;
	struct conf_value value;

	unbounded.minimum = INT64_MIN;
	unbounded.maximum = 0;
	if (slot->option->type == PH_OPT_TABLE || slot->option->type == PH_OPT_TABLES) {
		fill_value(slot, NULL);
	} else if (slot->option->fallback) {
		inner.option = &unbounded;
		parse_fallback(slot->reader->pool, slot->option, &value);
		fill_value(&inner, &value);
	} else {
		conf_problem(slot->reader, slot->line, slot->path, "must be given: %s", slot->option->help);
	}
}

/* The default comes first, so that a refused value leaves something sensible behind. */
static void fill_option(struct slot *slot, const struct conf_value *value)
{
	bool is_table = slot->option->type == PH_OPT_TABLE || slot->option->type == PH_OPT_TABLES;

	if (!value || (slot->option->fallback && !is_table))
		fill_fallback(slot);
	if (!value)
		return;
	slot->line = value->line ? value->line : slot->line;
	fill_value(slot, value);
}

void conf_fill(struct conf_reader *reader, const struct ph_option *options, const struct conf_value *table,
	const char *path, int line, void *target)
{
	for (const struct ph_option *option = options; option && option->key; option++) {
		struct slot slot = {
			.reader = reader,
			.option = option,
			.path = conf_path_key(reader->pool, path, option->key),
			.line = line,
			.target = (char *)target + option->offset,
		};

		fill_option(&slot, conf_get(table, option->key));
	}
}

/* --- Unknown keys --- */

static const struct ph_option *find_option(
	const struct ph_option *const *tables, size_t table_count, const char *key)
{
	for (size_t i = 0; i < table_count; i++) {
		for (const struct ph_option *option = tables[i]; option && option->key; option++) {
			if (strcmp(option->key, key) == 0)
				return option;
		}
	}
	return NULL;
}

static const char *near_option(
	struct ph_pool *pool, const struct ph_option *const *tables, size_t table_count, const char *key)
{
	const char **words;
	size_t count = 0;

	for (size_t i = 0; i < table_count; i++) {
		for (const struct ph_option *option = tables[i]; option && option->key; option++)
			count++;
	}
	words = ph_pool_array(pool, count + 1, sizeof(*words));
	count = 0;
	for (size_t i = 0; i < table_count; i++) {
		for (const struct ph_option *option = tables[i]; option && option->key; option++)
			words[count++] = option->key;
	}
	return conf_near(key, words);
}

static void look_within(struct conf_reader *reader, const struct ph_option *option,
	const struct conf_value *value, const char *path)
{
	if (value->kind != CONF_TABLE)
		return;
	if (option->type == PH_OPT_TABLE)
		conf_refuse_unknown(reader, value, path, &option->fields, 1);
	for (size_t i = 0; option->type == PH_OPT_TABLES && i < value->count; i++) {
		const struct conf_entry *entry = &value->entries[i];

		if (!entry->key && entry->value.kind == CONF_TABLE)
			conf_refuse_unknown(reader, &entry->value,
				conf_path_index(reader->pool, path, entry->index), &option->fields, 1);
	}
}

void conf_refuse_unknown(struct conf_reader *reader, const struct conf_value *table, const char *path,
	const struct ph_option *const *tables, size_t table_count)
{
	for (size_t i = 0; table && i < table->count; i++) {
		const struct conf_entry *entry = &table->entries[i];
		const struct ph_option *option;
		const char *near, *inner;

		if (!entry->key) {
			conf_problem(reader, entry->value.line, path,
				"a value without a name (item %" PRId64 ")", entry->index);
			continue;
		}
		inner = conf_path_key(reader->pool, path, entry->key);
		option = find_option(tables, table_count, entry->key);
		if (option) {
			look_within(reader, option, &entry->value, inner);
			continue;
		}
		near = near_option(reader->pool, tables, table_count, entry->key);
		if (near)
			conf_problem(reader, entry->value.line, inner,
				"unknown option '%s', did you mean '%s'?", entry->key, near);
		else
			conf_problem(reader, entry->value.line, inner, "unknown option '%s'", entry->key);
	}
}

/* --- Sizes --- */

static size_t value_size(const struct ph_option *option)
{
	switch (option->type) {
	case PH_OPT_BOOL:
		return sizeof(bool);
	case PH_OPT_NUMBER:
	case PH_OPT_SIZE:
	case PH_OPT_TIME:
		return sizeof(int64_t);
	case PH_OPT_TEXT:
	case PH_OPT_PATH:
		return sizeof(const char *);
	case PH_OPT_CHOICE:
		return sizeof(int);
	case PH_OPT_LIST:
	case PH_OPT_PATHS:
		return sizeof(struct ph_text_list);
	case PH_OPT_MAP:
		return sizeof(struct ph_text_map);
	case PH_OPT_TABLE:
		return conf_struct_size(option->fields);
	case PH_OPT_TABLES:
		return sizeof(struct ph_table_list);
	}
	return 0;
}

size_t conf_struct_size(const struct ph_option *options)
{
	size_t size = 0;

	for (const struct ph_option *option = options; option && option->key; option++) {
		size_t end = option->offset + value_size(option);

		if (end > size)
			size = end;
	}
	return size;
}
