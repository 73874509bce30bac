/* Options. Every option is declared once, by its owner: key, type, where its value goes, default, bounds,
 * unit and a sentence of help. Reading the configuration, `posthorn config`, and the reference manual all
 * come from these tables.
 *
 *   static const struct ph_option finger_options[] = {
 *       PH_OPTION_TIME(struct finger_config, idle_timeout, "10m", 1000, 86400000, "How long a client may
 * ..."), PH_OPTIONS_END
 *   };
 */
#ifndef POSTHORN_CONF_H
#define POSTHORN_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/fiber.h>

enum ph_option_type {
	PH_OPT_BOOL,   /* bool */
	PH_OPT_NUMBER, /* int64_t */
	PH_OPT_SIZE,   /* int64_t bytes; written 1000 or "50M" (K, M, G: powers of 1024) */
	PH_OPT_TIME,   /* ph_msec; written in seconds, or "250ms", "30s", "5m", "12h", "7d" */
	PH_OPT_TEXT,   /* const char *, never NULL */
	PH_OPT_PATH,   /* const char *; relative to the configuration file's folder; "" when unset */
	PH_OPT_CHOICE, /* int: the index in `choices` */
	PH_OPT_LIST,   /* struct ph_text_list */
	PH_OPT_PATHS,  /* struct ph_text_list, each as PH_OPT_PATH */
	PH_OPT_MAP,    /* struct ph_text_map: { ["a@x"] = "b@y", ["c@x"] = { "d@y", "e@y" } } */
	PH_OPT_TABLE,  /* a struct described by `fields`, laid at the offset */
	PH_OPT_TABLES, /* struct ph_table_list: a list of structs described by `fields` */
};

struct ph_text_list {
	const char *const *items;
	size_t count;
};

struct ph_text_map_entry {
	const char *key;
	struct ph_text_list values;
};

struct ph_text_map {
	const struct ph_text_map_entry *entries;
	size_t count;
};

struct ph_table_list {
	void *items; /* count structs of item_size bytes each */
	size_t count;
	size_t item_size;
};

struct ph_option {
	const char *key; /* NULL ends a table of options */
	enum ph_option_type type;
	size_t offset;
	const char *fallback;       /* the default, written as in a file; NULL: the option must be given */
	int64_t minimum, maximum;   /* numbers, sizes (bytes), times (ms); length of text and lists */
	const char *const *choices; /* PH_OPT_CHOICE: ended by NULL */
	const struct ph_option *fields;
	size_t item_size; /* PH_OPT_TABLES */
	bool secret;      /* never printed */
	const char *help;
};

#define PH_OPTIONS_END      \
	{                   \
		.key = NULL \
	}
#define PH_OPTION_BOOL(struct_, member, fallback_, help_)                                 \
	{                                                                                 \
		.key = #member, .type = PH_OPT_BOOL, .offset = offsetof(struct_, member), \
		.fallback = (fallback_), .help = (help_)                                  \
	}
#define PH_OPTION_NUMBER(struct_, member, fallback_, min_, max_, help_)                        \
	{                                                                                      \
		.key = #member, .type = PH_OPT_NUMBER, .offset = offsetof(struct_, member),    \
		.fallback = (fallback_), .minimum = (min_), .maximum = (max_), .help = (help_) \
	}
#define PH_OPTION_SIZE(struct_, member, fallback_, min_, max_, help_)                          \
	{                                                                                      \
		.key = #member, .type = PH_OPT_SIZE, .offset = offsetof(struct_, member),      \
		.fallback = (fallback_), .minimum = (min_), .maximum = (max_), .help = (help_) \
	}
#define PH_OPTION_TIME(struct_, member, fallback_, min_, max_, help_)                          \
	{                                                                                      \
		.key = #member, .type = PH_OPT_TIME, .offset = offsetof(struct_, member),      \
		.fallback = (fallback_), .minimum = (min_), .maximum = (max_), .help = (help_) \
	}
#define PH_OPTION_TEXT(struct_, member, fallback_, max_, help_)                           \
	{                                                                                 \
		.key = #member, .type = PH_OPT_TEXT, .offset = offsetof(struct_, member), \
		.fallback = (fallback_), .maximum = (max_), .help = (help_)               \
	}
#define PH_OPTION_PATH(struct_, member, fallback_, help_)                                 \
	{                                                                                 \
		.key = #member, .type = PH_OPT_PATH, .offset = offsetof(struct_, member), \
		.fallback = (fallback_), .help = (help_)                                  \
	}
#define PH_OPTION_CHOICE(struct_, member, fallback_, choices_, help_)                       \
	{                                                                                   \
		.key = #member, .type = PH_OPT_CHOICE, .offset = offsetof(struct_, member), \
		.fallback = (fallback_), .choices = (choices_), .help = (help_)             \
	}
#define PH_OPTION_LIST(struct_, member, fallback_, max_, help_)                           \
	{                                                                                 \
		.key = #member, .type = PH_OPT_LIST, .offset = offsetof(struct_, member), \
		.fallback = (fallback_), .maximum = (max_), .help = (help_)               \
	}
#define PH_OPTION_PATHS(struct_, member, fallback_, max_, help_)                           \
	{                                                                                  \
		.key = #member, .type = PH_OPT_PATHS, .offset = offsetof(struct_, member), \
		.fallback = (fallback_), .maximum = (max_), .help = (help_)                \
	}
#define PH_OPTION_MAP(struct_, member, max_, help_)                                                        \
	{                                                                                                  \
		.key = #member, .type = PH_OPT_MAP, .offset = offsetof(struct_, member), .fallback = "{}", \
		.maximum = (max_), .help = (help_)                                                         \
	}
#define PH_OPTION_TABLE(struct_, member, fields_, help_)                                                     \
	{                                                                                                    \
		.key = #member, .type = PH_OPT_TABLE, .offset = offsetof(struct_, member), .fallback = "{}", \
		.fields = (fields_), .help = (help_)                                                         \
	}
#define PH_OPTION_TABLES(struct_, member, fields_, item_size_, max_, help_)                          \
	{                                                                                            \
		.key = #member, .type = PH_OPT_TABLES, .offset = offsetof(struct_, member),          \
		.fallback = "{}", .fields = (fields_), .item_size = (item_size_), .maximum = (max_), \
		.help = (help_)                                                                      \
	}

/* What all modules may need of the core's own options. Valid from init to stop. */
struct ph_core_config {
	const char *hostname;        /* this host's full name, for greetings and trace lines */
	const char *data_directory;  /* where modules keep what must last */
	struct ph_text_list domains; /* the domains served here, besides those of the accounts */
	int64_t workers;
};
const struct ph_core_config *ph_core_config(void);

#endif
