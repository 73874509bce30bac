/* Values and objects that cross the seam between C and Lua: the arguments of hooks.
 *
 * An object type tells, in one table, which fields a thing shows to policies. Lua sees a read-only object
 * with those fields; a field that is absent reads as nil. The object may be used until the hook call it was
 * an argument of has ended (a session: until it closes); later use raises a Lua error. */
#ifndef POSTHORN_VALUE_H
#define POSTHORN_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/str.h>

struct lua_State;
struct ph_object_type;

enum ph_value_type { PH_NIL, PH_BOOLEAN, PH_INTEGER, PH_STRING, PH_STRINGS, PH_OBJECT };

struct ph_value {
	enum ph_value_type type;
	union {
		bool boolean;
		int64_t integer;
		struct ph_str string;
		struct {
			const struct ph_str *items;
			size_t count;
		} strings;
		struct {
			const struct ph_object_type *type;
			void *pointer;
		} object;
	};
};

#define PH_VALUE_STR(s) ((struct ph_value){ .type = PH_STRING, .string = (s) })
#define PH_VALUE_INT(i) ((struct ph_value){ .type = PH_INTEGER, .integer = (int64_t)(i) })
#define PH_VALUE_BOOL(b) ((struct ph_value){ .type = PH_BOOLEAN, .boolean = (b) })
#define PH_VALUE_OBJECT(type_, pointer_) \
	((struct ph_value){ .type = PH_OBJECT, .object = { (type_), (pointer_) } })

struct ph_object_field {
	const char *name; /* NULL ends the table */
	enum ph_value_type type;
	/* Leaves *value_r as nil when there is none. Strings stay valid while the object does. */
	void (*get)(void *object, struct ph_value *value_r);
	const char *help;
};

/* A method of the object in Lua: its first argument is the object, to be taken with ph_lua_object(). */
struct ph_object_method {
	const char *name; /* NULL ends the table */
	int (*call)(struct lua_State *L);
	const char *signature; /* "header(name) -> string or nil" */
	const char *help;
};

struct ph_object_type {
	const char *name;
	const char *help;
	const struct ph_object_field *fields;
	const struct ph_object_method *methods; /* or NULL */
	/* Asked for names that are in neither table; leaves *value_r as nil when there is none. Or NULL. */
	void (*get_other)(void *object, struct ph_str name, struct ph_value *value_r);
};

#endif
