/* What a module is: a shared object that exports one symbol, the const descriptor `ph_module`.
 *
 * Stages. Each may assume all that the former ones promise:
 *   loaded   the descriptor is read; options are known. No code of the module ran.
 *   init     in every process that uses the module, before any start; config is filled. Registers metrics,
 * Lua libraries and hook handlers, and looks up services. No input or output, nothing parks. start    in
 * every worker (and tool), loop running, providers before those who need them. May park. serving connections,
 * hooks, service calls. stop     the reverse order; leaves nothing behind: no timer, no memory, no
 * descriptor. May park.
 */
#ifndef POSTHORN_MODULE_H
#define POSTHORN_MODULE_H

#include <stdint.h>

#include <posthorn/conf.h>
#include <posthorn/conn.h>
#include <posthorn/error.h>
#include <posthorn/hook.h>
#include <posthorn/tool.h>

#define PH_MODULE_MAGIC 0x706f7374u /* "post" */
#define PH_MODULE_ABI_NUMBER 1u
/* Build options that change the layout of public structs. */
#define PH_MODULE_SIGNATURE "c17"

struct ph_module_abi {
	uint32_t magic;
	uint32_t number;
	uint32_t size; /* of struct ph_module */
	const char *signature;
};

struct ph_module {
	struct ph_module_abi abi;
	const char *name;            /* as in the configuration's `modules`, and the file's name */
	const char *summary;         /* one sentence */
	const char *const *provides; /* "store/1", ended by NULL; or NULL */
	const char *const *needs;
	/* The table services[i] belongs to provides[i]. */
	const void *const *services;
	/* The options under the module's name in the configuration, and the struct they fill before init. */
	const struct ph_option *options;
	void *config;
	struct ph_hook_point *const *hooks; /* ended by NULL; or NULL */
	/* Object types that other modules' hook points name as arguments; ended by NULL; or NULL. */
	const struct ph_object_type *const *objects;
	const struct ph_protocol *const *protocols; /* ended by NULL; or NULL */
	const struct ph_tool *tools;                /* or NULL */
	int (*init)(struct ph_error *error);
	int (*start)(struct ph_error *error);
	void (*stop)(void);
};

#define PH_MODULE_ABI                                                                                \
	{                                                                                            \
		PH_MODULE_MAGIC, PH_MODULE_ABI_NUMBER, sizeof(struct ph_module), PH_MODULE_SIGNATURE \
	}
/* The one symbol a module exports (modules are built with -fvisibility=hidden). */
#define PH_MODULE_EXPORT extern const struct ph_module ph_module __attribute__((visibility("default")))
PH_MODULE_EXPORT;

#endif
