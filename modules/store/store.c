/* What all parts of the module share. See store.h. */
#include <config.h>

#include "store.h"

#include <stdio.h>

struct store store;

int store_update(struct ph_kv_partition partition, ph_kv_run *run, void *arg, struct ph_error *error)
{
	return store.kv->update(&partition, 1, NULL, 0, run, arg, error);
}

int store_read(struct ph_kv_partition partition, ph_kv_run *run, void *arg, struct ph_error *error)
{
	return store.kv->read(&partition, 1, run, arg, error);
}

bool store_may_use(struct ph_actor actor, ph_account_id account)
{
	return account != 0 && (actor.system || actor.account == account);
}

int store_explain(int code, const char *thing, struct ph_error *error)
{
	static const struct {
		int code;
		const char *text;
	} texts[] = {
		{ PH_E_INVALID, "not a legal %s name" },
		{ PH_E_ABSENT, "no such %s" },
		{ PH_E_EXISTS, "the %s exists already" },
		{ PH_E_DENIED, "this %s must not be changed so" },
		{ PH_E_LIMIT, "a limit of this %s is reached" },
		{ PH_E_STALE, "somebody else is changing this %s" },
	};
	char text[128];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (texts[i].code != code)
			continue;
			/* The formats stand in the table above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), texts[i].text, thing);
#pragma GCC diagnostic pop
		return ph_error_set(error, code, text, NULL);
	}
	return code;
}
