/* Makes the accounts that dialogues use, from inside the server: for a kv that other processes do not see. */
#include <posthorn/module.h>
#include <posthorn/service.h>
#include <posthorn/store.h>

/* crypt(5) of "secret" */
#define PASSWORD_HASH \
	"$6$posthorn$IBx65xxPXxZRNf.pj1nKPYBhGyDZyDuVrI.VH.rd/7KQHX1.p8pIsEgFvrib4nHvH3HqhT4.SxOSmVH4z8b0b0"

static int start(struct ph_error *error)
{
	static const char *const addresses[] = { "alice@demo.test", "bob@demo.test" };
	const struct ph_store_service *store = ph_service(PH_STORE_SERVICE);

	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		ph_account_id id;
		int result = store->account_create(
			PH_ACTOR_SYSTEM, ph_str(addresses[i]), PH_STR(PASSWORD_HASH), &id, error);

		if (result < 0)
			return result;
	}
	return 0;
}

const struct ph_module ph_module = {
	.abi = PH_MODULE_ABI,
	.name = "accounts",
	.summary = "Makes two accounts, for tests.",
	.needs = (const char *const[]){ PH_STORE_SERVICE, NULL },
	.start = start,
};
