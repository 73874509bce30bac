/* The printed reference of hook points, made from their declarations: what a policy may hook, what it gets
 * and what it may answer. */
#include <config.h>

#include "hook_private.h"

#include <stdlib.h>

#include <posthorn/conn.h>
#include <posthorn/mem.h>

struct printer {
	FILE *out;
	bool markdown;
	const struct ph_object_type **types; /* those that the points mention, each once */
	size_t type_count;
};

static const char *type_name(enum ph_value_type type)
{
	static const char *const names[] = { "nil", "boolean", "integer", "string", "list of strings",
		"object" };
	return names[type];
}

static void mention_type(struct printer *printer, const struct ph_object_type *type)
{
	for (size_t i = 0; i < printer->type_count; i++)
		if (printer->types[i] == type)
			return;
	printer->types = ph_realloc_array(printer->types, printer->type_count + 1, sizeof(const void *));
	printer->types[printer->type_count++] = type;
}

static void print_heading(const struct printer *printer, const char *text)
{
	fprintf(printer->out, printer->markdown ? "\n**%s**\n\n" : "\n    %s\n", text);
}

static void print_item(const struct printer *printer, const char *name, const char *type, const char *help)
{
	if (printer->markdown)
		fprintf(printer->out, "- `%s` (%s): %s\n", name, type, help);
	else
		fprintf(printer->out, "        %-12s %-16s %s\n", name, type, help);
}

/* Each line of the text behind `indent`. */
static void print_lines(const struct printer *printer, const char *indent, const char *text)
{
	struct ph_str rest = ph_str(text), line;
	while (ph_str_split(&rest, '\n', &line))
		fprintf(printer->out, "%s%.*s\n", line.len ? indent : "", PH_STR_ARGS(line));
}

/* Running text: as it is in Markdown, else in lines of a width that a terminal has. */
static void print_text(const struct printer *printer, const char *indent, const char *text)
{
	enum { WIDTH = 96 };
	struct ph_str rest = ph_str(text), word;
	size_t column = 0;
	if (printer->markdown) {
		fprintf(printer->out, "%s\n", text);
		return;
	}
	while (ph_str_split(&rest, ' ', &word)) {
		bool fits = column > 0 && column + word.len < WIDTH;
		if (column > 0 && !fits)
			fputc('\n', printer->out);
		fprintf(printer->out, "%s%.*s", fits ? " " : indent, PH_STR_ARGS(word));
		column = (fits ? column + 1 : strlen(indent)) + word.len;
	}
	fputc('\n', printer->out);
}

static void print_title(const struct printer *printer, const struct ph_hook_point *point)
{
	fprintf(printer->out, printer->markdown ? "\n### `%s(session" : "\n%s(session", point->name);
	for (const struct ph_hook_argument *argument = point->arguments; argument && argument->name;
		argument++)
		fprintf(printer->out, ", %s", argument->name);
	fprintf(printer->out, printer->markdown ? ")`\n\n" : ")\n");
}

static void print_arguments(struct printer *printer, const struct ph_hook_point *point)
{
	print_heading(printer, "Arguments");
	print_item(printer, "session", "session", "the connection, or nil where there is none");
	for (const struct ph_hook_argument *argument = point->arguments; argument && argument->name;
		argument++) {
		const struct ph_object_type *object = hook_object(argument);
		print_item(printer, argument->name, object ? object->name : type_name(argument->type),
			argument->help);
		if (object)
			mention_type(printer, object);
	}
}

static void print_failure(const struct printer *printer, const struct ph_verdict *failure)
{
	print_heading(printer, "When a handler fails");
	fprintf(printer->out, printer->markdown ? "`%s" : "        %s", ph_verdict_name(failure->kind));
	if (failure->code)
		fprintf(printer->out, " %d", failure->code);
	if (failure->enhanced.len)
		fprintf(printer->out, " %.*s", PH_STR_ARGS(failure->enhanced));
	if (failure->text.len)
		fprintf(printer->out, " \"%.*s\"", PH_STR_ARGS(failure->text));
	fprintf(printer->out, printer->markdown ? "`\n" : "\n");
}

static void print_answers(const struct printer *printer, const struct ph_hook_point *point)
{
	if (!point->decides) {
		print_heading(printer, "Answers");
		print_text(printer, "        ",
			"None: handlers are only told, and all of them. One that fails is logged.");
		return;
	}
	print_heading(printer, "Verdicts");
	fprintf(printer->out, printer->markdown ? "`pass`" : "        pass");
	for (unsigned kind = PH_PASS + 1; kind < PH_VERDICT_KINDS; kind++)
		if (point->verdicts & PH_ALLOWS(kind))
			fprintf(printer->out, printer->markdown ? ", `%s`" : ", %s",
				ph_verdict_name((enum ph_verdict_kind)kind));
	fprintf(printer->out, "\n");
	if (point->route_fields) {
		print_heading(printer, "Fields of route");
		print_text(printer, "        ", point->route_fields);
	}
	print_failure(printer, &point->on_failure);
}

static void print_example(const struct printer *printer, const char *example)
{
	if (!example)
		return;
	print_heading(printer, "Example");
	if (printer->markdown)
		fprintf(printer->out, "```lua\n");
	print_lines(printer, printer->markdown ? "" : "        ", example);
	if (printer->markdown)
		fprintf(printer->out, "```\n");
}

static void print_point(struct printer *printer, const struct ph_hook_point *point)
{
	print_title(printer, point);
	print_text(printer, "    ", point->help);
	print_arguments(printer, point);
	print_answers(printer, point);
	print_example(printer, point->example);
}

static void print_type(const struct printer *printer, const struct ph_object_type *type)
{
	fprintf(printer->out, printer->markdown ? "\n### %s\n\n" : "\n%s\n", type->name);
	if (type->help)
		print_text(printer, "    ", type->help);
	if (type->fields && type->fields->name)
		print_heading(printer, "Fields");
	for (const struct ph_object_field *field = type->fields; field && field->name; field++)
		print_item(printer, field->name, type_name(field->type), field->help ? field->help : "");
	if (type == &ph_session_type) {
		print_item(printer, "state", "table", "yours: lives as long as the connection");
		print_item(printer, "transaction", "table", "yours: emptied when a transaction ends");
	}
	if (type->methods && type->methods->name)
		print_heading(printer, "Methods");
	for (const struct ph_object_method *method = type->methods; method && method->name; method++)
		print_item(printer, method->signature, "method", method->help ? method->help : "");
}

static int compare_points(const void *a, const void *b)
{
	const struct ph_hook_point *const *left = a, *const *right = b;
	return strcmp((*left)->name, (*right)->name);
}

void hook_print_all(FILE *out, bool markdown)
{
	struct printer printer = { .out = out, .markdown = markdown };
	size_t count = hook_count();
	const struct ph_hook_point **points = ph_alloc_array(count + 1, sizeof(const void *));
	for (size_t i = 0; i < count; i++)
		points[i] = hook_at(i);
	qsort(points, count, sizeof(const void *), compare_points);

	fprintf(out, markdown ? "## Hook points\n\n" : "HOOK POINTS\n\n");
	print_lines(&printer, "",
		"Handlers run in their stated order; the first verdict other than pass decides. A handler "
		"that throws,\n"
		"runs out of its budget or answers with what the point does not allow is logged, and the "
		"point's failure\n"
		"verdict decides. Every handler may wait (posthorn.sleep and the like) without holding up "
		"anybody else.");
	mention_type(&printer, &ph_session_type);
	for (size_t i = 0; i < count; i++)
		print_point(&printer, points[i]);
	fprintf(out, markdown ? "\n## Objects\n\n" : "\nOBJECTS\n\n");
	print_lines(&printer, "",
		"Objects are read-only, and over when the hook call ends (the session: when it closes). A "
		"field that is\n"
		"absent is nil.");
	for (size_t i = 0; i < printer.type_count; i++)
		print_type(&printer, printer.types[i]);
	free(printer.types);
	free(points);
}
