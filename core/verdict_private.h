/* The rules a verdict must keep, whoever gave it. */
#ifndef CORE_VERDICT_PRIVATE_H
#define CORE_VERDICT_PRIVATE_H

#include <stdbool.h>

#include <posthorn/error.h>
#include <posthorn/hook.h>
#include <posthorn/verdict.h>

/* 0, or PH_E_INVALID with a detail when the point does not allow this verdict or its parts are malformed. */
int verdict_check(
	const struct ph_hook_point *point, const struct ph_verdict *verdict, struct ph_error *error);
/* Fills *kind_r from "reject" and so on; false when there is no such kind. */
bool verdict_kind(struct ph_str name, enum ph_verdict_kind *kind_r);
/* The text as one line of printable ASCII, of bounded length, in the pool: what is not becomes a space or
 * '?'. */
struct ph_str verdict_line(struct ph_pool *pool, struct ph_str text);

#endif
