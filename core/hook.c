/* Hook points, their subscribers, and asking them.
 *
 * The subscribers of a point are a linked list in the order they are asked. A handler may park, and a module
 * may stop meanwhile; so a subscriber that is taken away is unlinked at once and not called any more, but its
 * memory (and its way on through the list) stays until no hook runs. */
#include <config.h>

#include "hook_private.h"

#include <stdlib.h>

#include <posthorn/log.h>
#include <posthorn/mem.h>

#include "conf_private.h"
#include "verdict_private.h"

struct ph_hook_subscriber {
	struct ph_hook_subscriber *next;
	struct ph_hook_subscriber *next_removed;
	bool removed;
	int order;
	const char *owner;
	ph_hook_handler *handler;
	void *arg;
};

struct known_point {
	struct ph_hook_point *point;
	const char *owner;
};

struct known_object {
	const struct ph_object_type *type;
	const char *owner;
};

static struct known_point *known;
static size_t known_count;
static struct known_object *objects;
static size_t object_count;
static const char *current_owner;
static unsigned runs;
static struct ph_hook_subscriber *removed_subscribers;

/* --- Points --- */

struct ph_hook_point *hook_find(const char *name)
{
	for (size_t i = 0; i < known_count; i++)
		if (strcmp(known[i].point->name, name) == 0)
			return known[i].point;
	return NULL;
}

size_t hook_count(void)
{
	return known_count;
}

const struct ph_hook_point *hook_at(size_t index)
{
	return known[index].point;
}

const char *hook_nearest(const char *name)
{
	const char **names = ph_alloc_array(known_count + 1, sizeof(*names));
	for (size_t i = 0; i < known_count; i++)
		names[i] = known[i].point->name;
	const char *nearest = conf_near(name, names);
	free(names);
	return nearest;
}

static const char *missing_part(const struct ph_hook_point *point)
{
	if (!point->name || !strchr(point->name, '.'))
		return "a name of the form part.event";
	if (!point->help || !*point->help)
		return "help";
	for (const struct ph_hook_argument *argument = point->arguments; argument && argument->name;
		argument++)
		if (!argument->help)
			return "what its arguments are";
	if (point->decides != (point->verdicts != 0))
		return "verdicts if, and only if, it decides";
	if ((point->verdicts & PH_ALLOWS(PH_ROUTE)) && !point->route_fields)
		return "the fields of its routes";
	return NULL;
}

static int check_point(const struct ph_hook_point *point, const char *owner, struct ph_error *error)
{
	const char *missing = missing_part(point);
	if (missing)
		return ph_error_set(error, PH_E_INVALID, "bad hook point",
			"%s: the hook point %s must have %s", owner,
			point->name ? point->name : "without a name", missing);
	if (hook_find(point->name))
		return ph_error_set(error, PH_E_EXISTS, "bad hook point",
			"%s: there is a hook point %s already", owner, point->name);
	return verdict_check(point, &point->on_failure, error);
}

int hook_add_points(struct ph_hook_point *const *points, const char *owner, struct ph_error *error)
{
	size_t before = known_count;
	for (; *points; points++) {
		int code = check_point(*points, owner, error);
		if (code < 0) {
			known_count = before;
			return code;
		}
		known = ph_realloc_array(known, known_count + 1, sizeof(*known));
		known[known_count++] = (struct known_point){ *points, owner };
	}
	return 0;
}

/* --- Objects --- */

void hook_add_objects(const struct ph_object_type *const *types, const char *owner)
{
	for (; *types; types++) {
		objects = ph_realloc_array(objects, object_count + 1, sizeof(*objects));
		objects[object_count++] = (struct known_object){ *types, owner };
	}
}

static void remove_objects(const char *owner)
{
	size_t kept = 0;
	for (size_t i = 0; i < object_count; i++)
		if (strcmp(objects[i].owner, owner) != 0)
			objects[kept++] = objects[i];
	object_count = kept;
	if (kept == 0) {
		free(objects);
		objects = NULL;
	}
}

const struct ph_object_type *hook_object(const struct ph_hook_argument *argument)
{
	for (size_t i = 0; !argument->object && i < object_count; i++)
		if (strcmp(objects[i].type->name, argument->name) == 0)
			return objects[i].type;
	return argument->object;
}

int hook_check_objects(struct ph_error *error)
{
	for (size_t i = 0; i < known_count; i++) {
		const struct ph_hook_argument *argument = known[i].point->arguments;
		for (; argument && argument->name; argument++)
			if (argument->type == PH_OBJECT && !hook_object(argument))
				return ph_error_set(error, PH_E_INVALID, "bad hook point",
					"%s: the hook point %s does not say what kind of object '%s' is",
					known[i].owner, known[i].point->name, argument->name);
	}
	return 0;
}

/* --- Subscribers --- */

void hook_set_owner(const char *owner)
{
	current_owner = owner;
}

const char *hook_owner(void)
{
	return current_owner;
}

void hook_subscribe(
	struct ph_hook_point *point, const char *owner, int order, ph_hook_handler *handler, void *arg)
{
	struct ph_hook_subscriber *subscriber = ph_alloc(sizeof(*subscriber));
	*subscriber =
		(struct ph_hook_subscriber){ .order = order, .owner = owner, .handler = handler, .arg = arg };
	struct ph_hook_subscriber **place = &point->subscribers;
	while (*place && (*place)->order <= order)
		place = &(*place)->next;
	subscriber->next = *place;
	*place = subscriber;
}

int ph_hook_subscribe(const char *name, int order, ph_hook_handler *handler, void *arg)
{
	PH_ASSERT(current_owner);
	struct ph_hook_point *point = hook_find(name);
	if (!point)
		return PH_E_ABSENT;
	hook_subscribe(point, current_owner, order, handler, arg);
	return 0;
}

static void free_removed(void)
{
	while (removed_subscribers) {
		struct ph_hook_subscriber *subscriber = removed_subscribers;
		removed_subscribers = subscriber->next_removed;
		free(subscriber);
	}
}

/* Of that owner, or of all for NULL. */
static void remove_subscribers(struct ph_hook_point *point, const char *owner)
{
	for (struct ph_hook_subscriber **place = &point->subscribers; *place;) {
		struct ph_hook_subscriber *subscriber = *place;
		if (owner && strcmp(subscriber->owner, owner) != 0) {
			place = &subscriber->next;
			continue;
		}
		*place = subscriber->next;
		subscriber->removed = true;
		subscriber->next_removed = removed_subscribers;
		removed_subscribers = subscriber;
	}
}

void hook_remove_owner(const char *owner)
{
	size_t kept = 0;
	for (size_t i = 0; i < known_count; i++) {
		bool gone = strcmp(known[i].owner, owner) == 0;
		remove_subscribers(known[i].point, gone ? NULL : owner);
		if (!gone)
			known[kept++] = known[i];
	}
	known_count = kept;
	if (kept == 0) {
		free(known);
		known = NULL;
	}
	remove_objects(owner);
	if (runs == 0)
		free_removed();
}

/* --- Asking --- */

/* One answer; the failure verdict when it is none. */
static void ask(struct ph_hook_point *point, struct ph_hook_subscriber *subscriber, struct ph_conn *session,
	const struct ph_value *arguments, struct ph_pool *pool, struct ph_verdict *verdict_r)
{
	*verdict_r = (struct ph_verdict){ .kind = PH_PASS };
	int code = subscriber->handler(subscriber->arg, session, arguments, pool, verdict_r);
	struct ph_error error = { 0 };
	if (code < 0)
		ph_error_set(&error, code, ph_code_name(code), NULL);
	else
		code = verdict_check(point, verdict_r, &error);
	if (code == 0)
		return;
	ph_log(PH_LOG_ERROR, "policy failed", PH_LOG_TEXT("hook", point->name),
		PH_LOG_TEXT("owner", subscriber->owner), PH_LOG_ERROR_DETAIL(&error),
		PH_LOG_TEXT("verdict", ph_verdict_name(point->on_failure.kind)));
	*verdict_r = point->on_failure;
}

void ph_hook_run(struct ph_hook_point *point, struct ph_conn *session, const struct ph_value *arguments,
	struct ph_pool *pool, struct ph_verdict *verdict_r)
{
	*verdict_r = (struct ph_verdict){ .kind = PH_PASS };
	if (!point->subscribers)
		return;
	runs++;
	for (struct ph_hook_subscriber *subscriber = point->subscribers; subscriber;
		subscriber = subscriber->next) {
		if (subscriber->removed)
			continue;
		ask(point, subscriber, session, arguments, pool, verdict_r);
		if (point->decides && verdict_r->kind != PH_PASS)
			break;
	}
	if (!point->decides)
		*verdict_r = (struct ph_verdict){ .kind = PH_PASS };
	if (--runs == 0)
		free_removed();
}
