/* Command lines of SMTP, and the arguments of MAIL, RCPT, HELO and AUTH=. */
#include <config.h>

#include "../../modules/address/syntax.h"
#include "../../modules/smtp/parse.h"

#include <posthorn/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_path(struct ph_str arguments, struct ph_str keyword, unsigned flags)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct path_arguments parsed;

	if (parse_path_arguments(&address_service, arguments, keyword, flags, pool, &parsed) == PATH_GOOD) {
		struct ph_address again;
		struct ph_str text = address_service.format(&parsed.address, pool);

		/* What is written in trace lines must be readable again, and mean the same. */
		if (parsed.address.domain.len > 0)
			PH_ASSERT(address_service.parse(text, flags, pool, &again) == 0 &&
				  address_service.equal(&parsed.address, &again));
		for (size_t i = 0; i < parsed.count; i++)
			parse_auth_parameter(parsed.parameters[i].value);
	}
	ph_pool_free(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_str name, arguments;

	if (!parse_line(ph_str_of(data, size), &name, &arguments))
		return 0;
	parse_hello(arguments);
	fuzz_path(arguments, PH_STR("FROM:"), PH_ADDRESS_NULL);
	fuzz_path(arguments, PH_STR("TO:"), PH_ADDRESS_POSTMASTER);
	return 0;
}
