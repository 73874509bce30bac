/* The configuration in use, written as the file that would give it. */
#include <config.h>

#include "conf_private.h"

#include <inttypes.h>
#include <string.h>

static void indent(unsigned depth, struct ph_buf *out)
{
	while (depth-- > 0)
		ph_buf_add_char(out, '\t');
}

static void print_text(const char *text, struct ph_buf *out)
{
	ph_buf_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			ph_buf_printf(out, "\\%c", *text);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			ph_buf_printf(out, "\\%03u", (unsigned char)*text);
		else
			ph_buf_add_char(out, *text);
	}
	ph_buf_add_char(out, '"');
}

static void print_list(const struct ph_text_list *list, struct ph_buf *out)
{
	ph_buf_add_text(out, "{");
	for (size_t i = 0; i < list->count; i++) {
		ph_buf_add_text(out, i ? ", " : " ");
		print_text(list->items[i], out);
	}
	ph_buf_add_text(out, list->count ? " }" : "}");
}

static void print_map(const struct ph_text_map *map, unsigned depth, struct ph_buf *out)
{
	ph_buf_add_text(out, map->count ? "{\n" : "{}");
	for (size_t i = 0; i < map->count; i++) {
		indent(depth + 1, out);
		ph_buf_add_char(out, '[');
		print_text(map->entries[i].key, out);
		ph_buf_add_text(out, "] = ");
		print_list(&map->entries[i].values, out);
		ph_buf_add_text(out, ",\n");
	}
	if (map->count) {
		indent(depth, out);
		ph_buf_add_char(out, '}');
	}
}

static void print_quoted_unit(void (*print)(struct ph_buf *, int64_t), int64_t value, struct ph_buf *out)
{
	ph_buf_add_char(out, '"');
	print(out, value);
	ph_buf_add_char(out, '"');
}

static void print_table(
	const struct ph_option *fields, const void *source, unsigned depth, struct ph_buf *out)
{
	ph_buf_add_text(out, "{\n");
	conf_print_struct(fields, source, depth + 1, out);
	indent(depth, out);
	ph_buf_add_char(out, '}');
}

static void print_tables(
	const struct ph_option *option, const struct ph_table_list *list, unsigned depth, struct ph_buf *out)
{
	ph_buf_add_text(out, list->count ? "{\n" : "{}");
	for (size_t i = 0; i < list->count; i++) {
		indent(depth + 1, out);
		print_table(option->fields, (const char *)list->items + i * list->item_size, depth + 1, out);
		ph_buf_add_text(out, ",\n");
	}
	if (list->count) {
		indent(depth, out);
		ph_buf_add_char(out, '}');
	}
}

static void print_value(const struct ph_option *option, const void *value, unsigned depth, struct ph_buf *out)
{
	switch (option->type) {
	case PH_OPT_BOOL:
		ph_buf_add_text(out, *(const bool *)value ? "true" : "false");
		break;
	case PH_OPT_NUMBER:
		ph_buf_printf(out, "%" PRId64, *(const int64_t *)value);
		break;
	case PH_OPT_SIZE:
		print_quoted_unit(conf_print_size, *(const int64_t *)value, out);
		break;
	case PH_OPT_TIME:
		print_quoted_unit(conf_print_time, *(const int64_t *)value, out);
		break;
	case PH_OPT_TEXT:
	case PH_OPT_PATH:
		print_text(*(const char *const *)value, out);
		break;
	case PH_OPT_CHOICE:
		print_text(option->choices[*(const int *)value], out);
		break;
	case PH_OPT_LIST:
	case PH_OPT_PATHS:
		print_list(value, out);
		break;
	case PH_OPT_MAP:
		print_map(value, depth, out);
		break;
	case PH_OPT_TABLE:
		print_table(option->fields, value, depth, out);
		break;
	case PH_OPT_TABLES:
		print_tables(option, value, depth, out);
		break;
	}
}

void conf_print_struct(
	const struct ph_option *options, const void *source, unsigned depth, struct ph_buf *out)
{
	for (const struct ph_option *option = options; option && option->key; option++) {
		indent(depth, out);
		ph_buf_printf(out, "-- %s\n", option->help);
		indent(depth, out);
		if (option->secret) {
			ph_buf_printf(out, "-- %s is secret\n", option->key);
			continue;
		}
		ph_buf_printf(out, "%s = ", option->key);
		print_value(option, (const char *)source + option->offset, depth, out);
		ph_buf_add_text(out, depth > 0 ? ",\n" : "\n");
	}
}

/* --- Options as such --- */

static const char *type_name(enum ph_option_type type)
{
	static const char *const names[] = { "boolean", "number", "size", "time", "text", "path", "choice",
		"list", "list of paths", "map", "table", "list of tables" };

	return names[type];
}

static void print_choices(const char *const *choices, struct ph_buf *out)
{
	for (size_t i = 0; choices[i]; i++)
		ph_buf_printf(out, "%s%s", i ? "|" : "", choices[i]);
}

void conf_print_options(const struct ph_option *options, const char *before, struct ph_buf *out)
{
	for (const struct ph_option *option = options; option && option->key; option++) {
		ph_buf_printf(out, "%s%s (", before, option->key);
		if (option->choices)
			print_choices(option->choices, out);
		else
			ph_buf_add_text(out, type_name(option->type));
		if (!option->fallback)
			ph_buf_add_text(out, ", must be given");
		else if (option->fallback[0])
			ph_buf_printf(out, ", default %s", option->fallback);
		ph_buf_printf(out, "): %s\n", option->help);
		if (option->fields) {
			struct ph_buf deeper;

			ph_buf_init(&deeper, 64);
			ph_buf_printf(&deeper, "%s    ", before);
			ph_buf_add_char(&deeper, '\0');
			conf_print_options(option->fields, deeper.data, out);
			ph_buf_free(&deeper);
		}
	}
}
