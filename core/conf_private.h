/* The whole configuration, and how it is read.
 *
 * The file is Lua, evaluated in an empty environment with bounded memory and instructions. What it leaves
 * behind becomes a tree of plain values, each with its line; the option tables then turn parts of that tree
 * into structs. A configuration and all its values lie in one pool; reading one touches nothing that runs. */
#ifndef POSTHORN_CONF_PRIVATE_H
#define POSTHORN_CONF_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/buf.h>
#include <posthorn/conf.h>
#include <posthorn/error.h>
#include <posthorn/mem.h>

#include "layer_tls.h"
#include "listen.h"
#include "log_private.h"
#include "lua_host.h"
#include "module_private.h"

/* --- The tree of values --- */

enum conf_kind { CONF_BOOL, CONF_INTEGER, CONF_REAL, CONF_TEXT, CONF_TABLE };

struct conf_entry;

struct conf_value {
	enum conf_kind kind;
	int line;
	bool boolean;
	int64_t integer;
	double real;
	struct ph_str text;
	struct conf_entry *entries; /* list items first, in order, then keys by the alphabet */
	size_t count;
};

struct conf_entry {
	const char *key; /* NULL: an item of the list part */
	int64_t index;
	struct conf_value value;
};

/* The value under that key, or NULL. `table` may be NULL. */
const struct conf_value *conf_get(const struct conf_value *table, const char *key);

/* --- Reading --- */

struct conf_problem {
	int line;
	const char *text; /* "FILE:LINE: PATH: TEXT" */
};

/* What one reading needs to know, and the problems it found. */
struct conf_reader {
	struct ph_pool *pool;
	const char *file;
	const char *directory; /* relative paths begin here */
	struct conf_problem *problems;
	size_t problem_count;
};

void conf_reader_init(struct conf_reader *reader, struct ph_pool *pool, const char *file);
void conf_reader_free(struct conf_reader *reader);
/* Notes a problem; `path` may be NULL, line 0 is left out. */
void conf_problem(struct conf_reader *reader, int line, const char *path, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* All problems, by line. */
void conf_print_problems(struct conf_reader *reader, struct ph_buf *out);

/* Evaluates Lua source to a tree; NULL, and the problem noted, when that fails. */
const struct conf_value *conf_evaluate(struct conf_reader *reader, struct ph_str source);

/* Fills the struct from the table (NULL: defaults only), noting each problem; `path` is the table's own name.
 * Says nothing about keys that are not in `options`: see conf_refuse_unknown(). */
void conf_fill(struct conf_reader *reader, const struct ph_option *options, const struct conf_value *table,
	const char *path, int line, void *target);
/* Notes each key of the table that none of the option tables has; also in the tables within. */
void conf_refuse_unknown(struct conf_reader *reader, const struct conf_value *table, const char *path,
	const struct ph_option *const *tables, size_t table_count);
/* How large the struct is at least which these options fill. */
size_t conf_struct_size(const struct ph_option *options);
/* `path` with a key or a list index behind it, in the pool. */
const char *conf_path_key(struct ph_pool *pool, const char *path, const char *key);
const char *conf_path_index(struct ph_pool *pool, const char *path, int64_t index);
/* The nearest of the words, or NULL when none is near; ended by NULL. */
const char *conf_near(const char *word, const char *const *words);
/* The line where the source gives that path (or the nearest part of it above) a value; 0 when unknown. */
struct conf_lines;
struct conf_lines *conf_lines_new(struct ph_str source);
int conf_lines_find(const struct conf_lines *lines, const char *path);
void conf_lines_free(struct conf_lines **lines);
/* "10m" as milliseconds, "50M" as bytes; false when it is no such thing. The printers write the shortest. */
bool conf_parse_time(struct ph_str text, int64_t *value_r);
bool conf_parse_size(struct ph_str text, int64_t *value_r);
void conf_print_time(struct ph_buf *out, int64_t value);
void conf_print_size(struct ph_buf *out, int64_t value);

/* --- The whole --- */

struct config {
	struct ph_pool *pool;
	const char *file; /* absolute */
	const char *directory;
	const struct conf_value *tree;

	struct ph_core_config public;
	const char *run_directory;
	const char *user;
	const char *group;
	struct ph_text_list module_names;
	struct ph_text_list module_directories;
	struct log_config log;
	struct tls_config tls;
	struct policy_config policy;
	ph_msec drain_timeout;
	ph_msec worker_timeout;

	struct module_set modules;
	struct ph_table_list listeners; /* of struct listener_config */
};

/* Reads the file, loads the modules it names and checks everything that can be checked without running any of
 * it. NULL, and all problems as lines in *problems (to be freed by the caller), when there is one. */
struct config *config_read(const char *file, struct ph_buf *problems);
void config_free(struct config **config);
/* In the process that uses the modules, before their init: fills the structs in the modules' own memory, and
 * what ph_core_config() gives. The configuration must live as long. */
void config_apply(const struct config *config);
struct listener_config *config_listener(const struct config *config, size_t index);
/* The control socket's path. */
const char *config_control_path(const struct config *config);
/* Prints the configuration in use, with defaults, as Lua with the help as comments. */
void config_print(const struct config *config, struct ph_buf *out);
/* Prints options with their defaults and help, for `posthorn modules`. */
void conf_print_options(const struct ph_option *options, const char *indent, struct ph_buf *out);
/* Prints `KEY = VALUE` lines for a filled struct. */
void conf_print_struct(
	const struct ph_option *options, const void *source, unsigned depth, struct ph_buf *out);

#endif
