/* The exchanges of PLAIN and LOGIN. Whatever is wrong with what a client sends is PH_E_INVALID: whether the
 * user exists and the password is right is asked later and elsewhere. */
#include <config.h>

#include "sasl.h"

#include "base64.h"

static int refuse(struct ph_error *error, const char *why)
{
	return ph_error_set(error, PH_E_INVALID, why, NULL);
}

/* Takes the initial response, or sends the challenge and takes the answer, and decodes it to out[]. */
static int receive(const struct ph_sasl_carrier *carrier, struct ph_str challenge, struct ph_str initial,
	char *out, size_t size, size_t *len_r, struct ph_error *error)
{
	struct ph_str text = initial;
	if (!initial.data) {
		int code = carrier->challenge(carrier->arg, challenge, &text);
		if (code == PH_E_INVALID)
			return refuse(error, "authentication cancelled");
		if (code == PH_E_LIMIT)
			return refuse(error, "the response is too long");
		if (code < 0)
			return ph_error_set(error, code, "the connection ended", NULL);
	} else if (ph_str_eq(initial, PH_STR("="))) {
		text = PH_STR("");
	}
	if (!base64_decode(text, out, size, len_r))
		return refuse(error, "the response is not valid base64, or too long");
	return 0;
}

static bool is_name(struct ph_str s)
{
	return s.len > 0 && s.len <= SASL_USER_MAX && ph_str_find(s, '\0') < 0;
}

static bool is_password(struct ph_str s)
{
	return s.len > 0 && s.len <= SASL_PASSWORD_MAX && ph_str_find(s, '\0') < 0;
}

/* message = [authzid] UTF8NUL authcid UTF8NUL passwd */
bool sasl_parse_plain(struct sasl_answer *answer, size_t len)
{
	struct ph_str message = ph_str_of(answer->bytes, len);
	ptrdiff_t first = ph_str_find(message, '\0');
	if (first < 0)
		return false;
	struct ph_str rest = ph_str_slice(message, (size_t)first + 1, len);
	ptrdiff_t second = ph_str_find(rest, '\0');
	if (second < 0)
		return false;
	answer->authorize = ph_str_slice(message, 0, (size_t)first);
	answer->user = ph_str_slice(rest, 0, (size_t)second);
	answer->password = ph_str_slice(rest, (size_t)second + 1, rest.len);
	return (answer->authorize.len == 0 || is_name(answer->authorize)) && is_name(answer->user) &&
	       is_password(answer->password);
}

static int plain(struct ph_str initial, const struct ph_sasl_carrier *carrier, struct sasl_answer *answer_r,
	struct ph_error *error)
{
	size_t len;
	int code =
		receive(carrier, PH_STR(""), initial, answer_r->bytes, sizeof(answer_r->bytes), &len, error);
	if (code < 0)
		return code;
	return sasl_parse_plain(answer_r, len) ? 0 : refuse(error, "malformed PLAIN message");
}

static int login(struct ph_str initial, const struct ph_sasl_carrier *carrier, struct sasl_answer *answer_r,
	struct ph_error *error)
{
	char *password = answer_r->bytes + SASL_USER_MAX;
	size_t len;
	/* "Username:" and "Password:" */
	int code = receive(
		carrier, PH_STR("VXNlcm5hbWU6"), initial, answer_r->bytes, SASL_USER_MAX, &len, error);
	if (code < 0)
		return code;
	answer_r->user = ph_str_of(answer_r->bytes, len);
	code = receive(carrier, PH_STR("UGFzc3dvcmQ6"), (struct ph_str){ NULL, 0 }, password,
		SASL_PASSWORD_MAX, &len, error);
	if (code < 0)
		return code;
	answer_r->password = ph_str_of(password, len);
	if (!is_name(answer_r->user) || !is_password(answer_r->password))
		return refuse(error, "empty or malformed user or password");
	return 0;
}

static const struct sasl_mechanism mechanisms[] = { { "PLAIN", plain }, { "LOGIN", login } };

const struct sasl_mechanism *sasl_mechanism(struct ph_str name)
{
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (ph_str_case_eq(name, ph_str(mechanisms[i].name)))
			return &mechanisms[i];
	return NULL;
}

const char *sasl_mechanisms(void)
{
	return "PLAIN LOGIN";
}
