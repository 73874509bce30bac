/* On which line does `listen[2].protocol` get its value? Lua does not say. This walks the tokens of the
 * source once and notes the line of each key it sees being given a value: in `NAME = ...`, `NAME.key = ...`,
 * and in the table constructors behind. What is computed in other ways has the line of the nearest thing
 * around it. It never fails: a source that is no Lua gives fewer lines. */
#include <config.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/map.h>
#include <posthorn/mem.h>

#include "conf_private.h"

enum { PATH_MAX_BYTES = 512, NESTING_MAX = 32 };

enum token_kind { END, WORD, TEXT, NUMBER, SIGN };

struct token {
	enum token_kind kind;
	struct ph_str text; /* without the quotes */
	int line;
};

struct conf_lines {
	struct ph_map *map;
};

struct scanner {
	struct ph_str source;
	size_t at;
	int line;
	struct token token; /* the one looked at */
	struct ph_map *map;
};

struct path {
	char text[PATH_MAX_BYTES];
	size_t len;
	bool noted; /* is it worth noting: neither a local's nor too long */
};

/* --- Tokens --- */

static char byte_at(const struct scanner *s, size_t at)
{
	return at < s->source.len ? s->source.data[at] : '\0';
}

static char step(struct scanner *s)
{
	char c = byte_at(s, s->at);

	s->line += c == '\n';
	s->at += s->at < s->source.len;
	return c;
}

static bool is_word_byte(char c)
{
	return ph_is_alpha(c) || ph_is_digit(c) || c == '_';
}

/* The level of a long bracket "[==[" here, or -1. */
static int long_bracket_level(const struct scanner *s)
{
	size_t at = s->at + 1;

	if (byte_at(s, s->at) != '[')
		return -1;
	while (byte_at(s, at) == '=')
		at++;
	return byte_at(s, at) == '[' ? (int)(at - s->at - 1) : -1;
}

static bool closes_long_bracket(const struct scanner *s, int level)
{
	for (int i = 0; i < level; i++) {
		if (byte_at(s, s->at + 1 + (size_t)i) != '=')
			return false;
	}
	return byte_at(s, s->at) == ']' && byte_at(s, s->at + 1 + (size_t)level) == ']';
}

static struct ph_str read_long_bracket(struct scanner *s, int level)
{
	size_t from;
	struct ph_str text;

	s->at += (size_t)level + 2;
	from = s->at;
	while (s->at < s->source.len && !closes_long_bracket(s, level))
		step(s);
	text = ph_str_slice(s->source, from, s->at);
	s->at += (size_t)level + 2;
	return text;
}

static struct ph_str read_quoted(struct scanner *s)
{
	char quote = step(s), c;
	size_t from = s->at;

	while ((c = byte_at(s, s->at)) != quote && c != '\n' && s->at < s->source.len) {
		step(s);
		if (c == '\\')
			step(s);
	}
	step(s);
	return ph_str_slice(s->source, from, s->at - 1);
}

static void skip_comment(struct scanner *s)
{
	s->at += 2;
	if (long_bracket_level(s) >= 0) {
		read_long_bracket(s, long_bracket_level(s));
		return;
	}
	while (s->at < s->source.len && byte_at(s, s->at) != '\n')
		step(s);
}

static void skip_space(struct scanner *s)
{
	while (s->at < s->source.len) {
		if (byte_at(s, s->at) == '-' && byte_at(s, s->at + 1) == '-')
			skip_comment(s);
		else if (strchr(" \t\r\n\f\v", byte_at(s, s->at)))
			step(s);
		else
			return;
	}
}

static void next(struct scanner *s)
{
	size_t from;
	char c;

	skip_space(s);
	from = s->at;
	c = byte_at(s, from);
	s->token = (struct token){ .kind = SIGN, .line = s->line };
	if (s->at >= s->source.len) {
		s->token.kind = END;
	} else if (c == '"' || c == '\'') {
		s->token.kind = TEXT;
		s->token.text = read_quoted(s);
	} else if (long_bracket_level(s) >= 0) {
		s->token.kind = TEXT;
		s->token.text = read_long_bracket(s, long_bracket_level(s));
	} else if (is_word_byte(c)) {
		s->token.kind = ph_is_digit(c) ? NUMBER : WORD;
		while (is_word_byte(byte_at(s, s->at)))
			step(s);
		s->token.text = ph_str_slice(s->source, from, s->at);
	} else {
		step(s);
		if (strchr("=~<>", c) && byte_at(s, s->at) == '=')
			step(s);
		s->token.text = ph_str_slice(s->source, from, s->at);
	}
}

static bool is_sign(const struct scanner *s, const char *sign)
{
	return s->token.kind == SIGN && ph_str_eq(s->token.text, ph_str(sign));
}

static bool is_word(const struct scanner *s, const char *word)
{
	return s->token.kind == WORD && ph_str_eq(s->token.text, ph_str(word));
}

/* --- Paths --- */

static void path_add(struct path *path, const char *before, struct ph_str text, const char *after)
{
	size_t room = sizeof(path->text) - path->len;
	int len = snprintf(path->text + path->len, room, "%s%.*s%s", before, PH_STR_ARGS(text), after);

	if (len < 0 || (size_t)len >= room) {
		path->noted = false;
		path->text[path->len] = '\0';
		return;
	}
	path->len += (size_t)len;
}

/* In the form that conf_path_key() gives. */
static void path_add_key(struct path *path, struct ph_str key)
{
	bool word = key.len > 0 && !ph_is_digit(key.data[0]);

	for (size_t i = 0; i < key.len; i++)
		word = word && is_word_byte(key.data[i]);
	if (word)
		path_add(path, path->len ? "." : "", key, "");
	else
		path_add(path, "[\"", key, "\"]");
}

static void path_add_index(struct path *path, int64_t index)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, index);
	path_add(path, "[", ph_str(text), "]");
}

static void note(struct scanner *s, const struct path *path, int line)
{
	if (path->noted)
		ph_map_put(s->map, ph_str_of(path->text, path->len), (void *)(intptr_t)line);
}

/* --- Values --- */

static void scan_constructor(struct scanner *s, const struct path *path, unsigned depth);

/* Passes over an expression inside a constructor, up to the ',', ';' or '}' that ends it. */
static void skip_expression(struct scanner *s)
{
	unsigned open = 0;

	while (s->token.kind != END) {
		if (open == 0 && (is_sign(s, ",") || is_sign(s, ";") || is_sign(s, "}")))
			return;
		if (is_sign(s, "{") || is_sign(s, "(") || is_sign(s, "["))
			open++;
		else if (is_sign(s, "}") || is_sign(s, ")") || is_sign(s, "]"))
			open--;
		next(s);
	}
}

/* A value inside a constructor. */
static void scan_value(struct scanner *s, const struct path *path, unsigned depth)
{
	if (is_sign(s, "{") && depth < NESTING_MAX)
		scan_constructor(s, path, depth + 1);
	skip_expression(s);
}

/* `[KEY] =`: adds the key to the path when it is a plain one. */
static void scan_bracket_key(struct scanner *s, struct path *path)
{
	next(s);
	if (s->token.kind == TEXT)
		path_add_key(path, s->token.text);
	else if (s->token.kind == NUMBER)
		path_add(path, "[", s->token.text, "]");
	else
		path->noted = false;
	while (s->token.kind != END && !is_sign(s, "]"))
		next(s);
	next(s);
}

static void scan_field(struct scanner *s, const struct path *path, unsigned depth, int64_t *index)
{
	struct scanner before = *s;
	struct path inner = *path;
	int line = s->token.line;

	if (is_sign(s, "[")) {
		scan_bracket_key(s, &inner);
	} else if (s->token.kind == WORD) {
		path_add_key(&inner, s->token.text);
		next(s);
	}
	if (is_sign(s, "=")) {
		next(s);
	} else {
		*s = before;
		inner = *path;
		path_add_index(&inner, ++*index);
	}
	note(s, &inner, line);
	scan_value(s, &inner, depth);
}

static void scan_constructor(struct scanner *s, const struct path *path, unsigned depth)
{
	int64_t index = 0;

	next(s);
	while (s->token.kind != END && !is_sign(s, "}")) {
		if (is_sign(s, ",") || is_sign(s, ";"))
			next(s);
		else
			scan_field(s, path, depth, &index);
	}
	next(s);
}

/* `NAME`, `NAME.key`, `NAME["key"]`, `NAME[1]`, and a `=` behind: an assignment. */
static void scan_name(struct scanner *s, bool local)
{
	struct path path = { .noted = !local };
	int line = s->token.line;

	path_add_key(&path, s->token.text);
	next(s);
	while (is_sign(s, ".") || is_sign(s, "[")) {
		if (is_sign(s, "[")) {
			scan_bracket_key(s, &path);
			continue;
		}
		next(s);
		if (s->token.kind == WORD)
			path_add_key(&path, s->token.text);
		next(s);
	}
	if (!is_sign(s, "="))
		return;
	note(s, &path, line);
	next(s);
	if (is_sign(s, "{"))
		scan_constructor(s, &path, 0);
}

static void scan_chunk(struct scanner *s)
{
	bool local = false;

	next(s);
	while (s->token.kind != END) {
		if (is_word(s, "local")) {
			local = true;
			next(s);
		} else if (s->token.kind == WORD) {
			scan_name(s, local);
			local = false;
		} else {
			next(s);
		}
	}
}

struct conf_lines *conf_lines_new(struct ph_str source)
{
	struct conf_lines *lines = ph_alloc(sizeof(*lines));
	struct scanner scanner = { .source = source, .line = 1 };

	lines->map = scanner.map = ph_map_new();
	scan_chunk(&scanner);
	return lines;
}

/* Drops the last key or index of the path. */
static struct ph_str parent(struct ph_str path)
{
	ptrdiff_t dot = ph_str_rfind(path, '.'), bracket = ph_str_rfind(path, '[');
	ptrdiff_t end = dot > bracket ? dot : bracket;

	return ph_str_slice(path, 0, end > 0 ? (size_t)end : 0);
}

int conf_lines_find(const struct conf_lines *lines, const char *path)
{
	for (struct ph_str rest = ph_str(path); rest.len > 0; rest = parent(rest)) {
		void *line = ph_map_get(lines->map, rest);

		if (line)
			return (int)(intptr_t)line;
	}
	return 0;
}

void conf_lines_free(struct conf_lines **lines)
{
	if (!*lines)
		return;
	ph_map_free(&(*lines)->map);
	free(*lines);
	*lines = NULL;
}
