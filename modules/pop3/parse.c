/* Command lines. Spaces at the end of a line are the caller's business: some commands take them as text. */
#include <config.h>

#include "parse.h"

#include <stddef.h>

/* RFC 2449 says keywords have three or four characters; ours all are of letters. */
static bool is_keyword(struct ph_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!ph_is_alpha(name.data[i]))
			return false;
	return name.len >= 1;
}

bool parse_command(struct ph_str line, struct ph_str *name_r, struct ph_str *argument_r)
{
	ptrdiff_t space = ph_str_find(line, ' ');
	size_t end = space < 0 ? line.len : (size_t)space;
	*name_r = ph_str_slice(line, 0, end);
	*argument_r = ph_str_slice(line, end + (space >= 0), line.len);
	return is_keyword(*name_r);
}

bool parse_numbers(struct ph_str argument, struct parsed_numbers *numbers_r)
{
	struct ph_str rest = argument, word;
	*numbers_r = (struct parsed_numbers){ 0 };
	while (argument.len && ph_str_split(&rest, ' ', &word)) {
		if (numbers_r->count == 2 ||
			!ph_str_number(word, INT64_MAX, &numbers_r->number[numbers_r->count]))
			return false;
		numbers_r->count++;
	}
	return true;
}

/* sasl-mech of RFC 4422: letters, digits, hyphen and underscore, at most 20. */
static bool is_mechanism(struct ph_str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		if (!ph_is_alpha(c) && !ph_is_digit(c) && c != '-' && c != '_')
			return false;
	}
	return name.len >= 1 && name.len <= 20;
}

bool parse_auth(struct ph_str argument, struct ph_str *mechanism_r, struct ph_str *initial_r)
{
	ptrdiff_t space = ph_str_find(argument, ' ');
	*initial_r = (struct ph_str){ NULL, 0 };
	*mechanism_r = argument;
	if (space >= 0) {
		*mechanism_r = ph_str_slice(argument, 0, (size_t)space);
		*initial_r = ph_str_slice(argument, (size_t)space + 1, argument.len);
		if (initial_r->len == 0 || ph_str_find(*initial_r, ' ') >= 0)
			return false;
	}
	return is_mechanism(*mechanism_r);
}
