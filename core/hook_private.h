/* The core's side of hook points: who declares them, who listens, and the printed reference. Every point and
 * every subscriber belongs to an owner (a module's name, or "policy" for the Lua scripts), so that taking an
 * owner away leaves nothing behind. */
#ifndef CORE_HOOK_PRIVATE_H
#define CORE_HOOK_PRIVATE_H

#include <stdbool.h>
#include <stdio.h>

#include <posthorn/error.h>
#include <posthorn/hook.h>

/* Makes the points (ended by NULL) of a module known. PH_E_EXISTS for a name that is taken, PH_E_INVALID for
 * a declaration that is incomplete; then none of them is added. */
int hook_add_points(struct ph_hook_point *const *points, const char *owner, struct ph_error *error);
/* Makes the object types (ended by NULL) of a module known, for arguments that name them. */
void hook_add_objects(const struct ph_object_type *const *objects, const char *owner);
/* The type of an argument that is an object, or NULL when nobody brings it. */
const struct ph_object_type *hook_object(const struct ph_hook_argument *argument);
/* When all modules' points and objects are known: every argument that is an object must have a type. */
int hook_check_objects(struct ph_error *error);
/* Whose ph_hook_subscribe() calls follow; NULL: nobody's. `owner` must stay valid. */
void hook_set_owner(const char *owner);
const char *hook_owner(void);
/* Takes back the owner's subscriptions, and its points with all who listen there. */
void hook_remove_owner(const char *owner);
/* The point of that name, or NULL. */
struct ph_hook_point *hook_find(const char *name);
/* All points there are, in no order: index from 0 to hook_count() - 1. */
size_t hook_count(void);
const struct ph_hook_point *hook_at(size_t index);
/* The name of the point that was probably meant, or NULL. */
const char *hook_nearest(const char *name);
/* Subscribes on behalf of `owner`. */
void hook_subscribe(
	struct ph_hook_point *point, const char *owner, int order, ph_hook_handler *handler, void *arg);
/* The reference of all points, by name: as plain text, or as markdown. */
void hook_print_all(FILE *out, bool markdown);

#endif
