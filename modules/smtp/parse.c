/* Command lines. See parse.h. */
#include <config.h>

#include "parse.h"

#include <posthorn/error.h>

#define HELLO_MAX 255

bool parse_line(struct ph_str line, struct ph_str *name_r, struct ph_str *arguments_r)
{
	size_t end = 0;

	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.data[i] < ' ' || line.data[i] == 0x7f)
			return false;
	line = ph_str_trim(line);
	while (end < line.len && line.data[end] != ' ')
		end++;
	*name_r = ph_str_slice(line, 0, end);
	*arguments_r = ph_str_trim(ph_str_slice(line, end, line.len));
	return true;
}

static bool has_utf8(struct ph_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.data[i] >= 0x80)
			return true;
	return false;
}

/* esmtp-keyword  = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-") */
static bool is_keyword(struct ph_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ph_is_alpha(s.data[i]) && !ph_is_digit(s.data[i]) && (i == 0 || s.data[i] != '-'))
			return false;
	return s.len > 0;
}

/* esmtp-value    = 1*(%d33-60 / %d62-126) */
static bool is_value(struct ph_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < 33 || s.data[i] > 126 || s.data[i] == '=')
			return false;
	return s.len > 0;
}

static bool is_repeated(const struct path_arguments *arguments, struct ph_str keyword)
{
	for (size_t i = 0; i < arguments->count; i++)
		if (ph_str_case_eq(arguments->parameters[i].keyword, keyword))
			return true;
	return false;
}

static bool parse_parameter(struct ph_str text, struct path_arguments *arguments)
{
	ptrdiff_t equals = ph_str_find(text, '=');
	struct parameter parameter = { .keyword = text };

	if (equals >= 0) {
		parameter.keyword = ph_str_slice(text, 0, (size_t)equals);
		parameter.value = ph_str_slice(text, (size_t)equals + 1, text.len);
		if (!is_value(parameter.value))
			return false;
	}
	if (!is_keyword(parameter.keyword) || is_repeated(arguments, parameter.keyword) ||
		arguments->count == PARAMETERS_MAX)
		return false;
	arguments->parameters[arguments->count++] = parameter;
	return true;
}

/* Behind the path: (SP esmtp-param)*; several spaces are tolerated. */
static bool parse_parameters(struct ph_str rest, struct path_arguments *arguments)
{
	struct ph_str piece;

	if (rest.len > 0 && rest.data[0] != ' ')
		return false;
	while (ph_str_split(&rest, ' ', &piece))
		if (piece.len > 0 && !parse_parameter(piece, arguments))
			return false;
	return true;
}

static int parse_address(const struct ph_address_service *service, struct ph_str *rest, unsigned flags,
	struct ph_pool *pool, struct ph_address *address_r)
{
	struct ph_str bare;
	size_t end = 0;
	int code;

	if (rest->len > 0 && rest->data[0] == '<')
		return service->parse_path(rest, flags, pool, address_r);
	while (end < rest->len && rest->data[end] != ' ')
		end++;
	bare = ph_str_slice(*rest, 0, end);
	code = service->parse(bare, flags & ~(unsigned)PH_ADDRESS_NULL, pool, address_r);
	if (code == 0)
		*rest = ph_str_slice(*rest, end, rest->len);
	return code;
}

enum path_fault parse_path_arguments(const struct ph_address_service *service, struct ph_str arguments,
	struct ph_str keyword, unsigned flags, struct ph_pool *pool, struct path_arguments *arguments_r)
{
	struct ph_str rest;
	int code;

	*arguments_r = (struct path_arguments){ 0 };
	if (!ph_str_case_starts(arguments, keyword))
		return PATH_SYNTAX;
	rest = ph_str_trim(ph_str_slice(arguments, keyword.len, arguments.len));
	code = parse_address(service, &rest, flags, pool, &arguments_r->address);
	if (code != 0 && has_utf8(rest))
		return PATH_UTF8;
	if (code != 0)
		return code == PH_E_LIMIT ? PATH_LENGTH : PATH_ADDRESS;
	return parse_parameters(rest, arguments_r) ? PATH_GOOD : PATH_PARAMETERS;
}

bool parse_hello(struct ph_str arguments)
{
	for (size_t i = 0; i < arguments.len; i++)
		if (arguments.data[i] <= ' ' || arguments.data[i] > '~')
			return false;
	return arguments.len > 0 && arguments.len <= HELLO_MAX;
}

static bool is_upper_hex(char c)
{
	return ph_is_digit(c) || (c >= 'A' && c <= 'F');
}

bool parse_auth_parameter(struct ph_str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] == '+') {
			if (value.len - i < 3 || !is_upper_hex(value.data[i + 1]) ||
				!is_upper_hex(value.data[i + 2]))
				return false;
			i += 2;
		}
	return value.len > 0;
}
