/* Modules of this process: finding and loading them, their order, their life. */
#ifndef POSTHORN_MODULE_PRIVATE_H
#define POSTHORN_MODULE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include <posthorn/buf.h>
#include <posthorn/conf.h>
#include <posthorn/module.h>

struct module {
	const struct ph_module *descriptor;
	const char *path;
	void *handle;
	bool initialised, started;
	bool ran; /* code of it has run */
};

/* Modules in the order in which they start: providers before those who need them. */
struct module_set {
	struct module *items;
	size_t count;
};

/* Finds NAME.so in the folders and takes its descriptor; no code of it runs. PH_E_ABSENT when there is none,
 * PH_E_UNSUPPORTED when it was made for another Posthorn; the error says which and why. */
int module_load(const char *name, const struct ph_text_list *directories, struct module *module_r,
	struct ph_error *error);
/* One whose code has run stays mapped: something may still point there, and it into its own memory. */
void module_unload(struct module *module);
/* Is there such a file, whatever it holds? */
bool module_exists(const char *name, const struct ph_text_list *directories);
/* The names of all NAME.so in the folders, sorted; in the pool. */
struct ph_text_list module_list(const struct ph_text_list *directories, struct ph_pool *pool);

/* Brings the set into order. Refuses two providers of one service, a need nobody provides, a cycle. */
int module_sort(struct module_set *set, struct ph_error *error);
/* Marks in keep[] the module of that index and all it needs, transitively. */
void module_mark_needed(const struct module_set *set, size_t index, bool *keep);

/* The protocol of that name among the set's modules, or NULL. */
const struct ph_protocol *module_protocol(const struct module_set *set, const char *name);

/* The stages (posthorn/module.h), with the core's own hook points declared first; those marked in keep[]
 * only, unless it is NULL. When one fails, what was done before is undone by module_stop_all(). Services are
 * found by ph_service() from here on. */
int module_init_all(struct module_set *set, const bool *keep, struct ph_error *error);
/* May park. */
int module_start_all(struct module_set *set, struct ph_error *error);
/* May park. Stops what was started, forgets what was initialised. */
void module_stop_all(struct module_set *set);

/* service.c: what ph_service() looks in. */
void service_add(const char *name, const void *service);
void service_clear(void);

#endif
