/* SASL exchanges: the first byte chooses the mechanism, and the lines behind it are what the client sends. */
#include <config.h>

#include "../../modules/auth/sasl.h"

#include <posthorn/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int next_line(void *arg, struct ph_str challenge, struct ph_str *response_r)
{
	(void)challenge;
	return ph_str_split(arg, '\n', response_r) ? 0 : PH_E_CLOSED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct ph_str lines = ph_str_of(data + 1, size - 1), initial = { NULL, 0 };
	const struct ph_sasl_carrier carrier = { next_line, &lines };
	const struct sasl_mechanism *mechanism =
		sasl_mechanism(data[0] & 1 ? PH_STR("LOGIN") : PH_STR("PLAIN"));
	struct sasl_answer answer = { 0 };
	struct ph_error error = { 0 };

	if (data[0] & 2)
		ph_str_split(&lines, '\n', &initial);
	if (mechanism->exchange(initial, &carrier, &answer, &error) == 0)
		PH_ASSERT(answer.user.len && answer.password.len && answer.user.len <= SASL_USER_MAX);
	return 0;
}
