/* Names of hosts (RFC 5321, 4.1.2 and 4.1.3; RFC 6531, 3.3):
 *
 *   Domain          = sub-domain *("." sub-domain)
 *   sub-domain      = Let-dig [Ldh-str] / U-label
 *   address-literal = "[" ( IPv4-address-literal / "IPv6:" IPv6-addr ) "]"
 *
 * An underscore is no letter there, but there are hosts that have one, and mail to them is to be taken. */
#include "syntax.h"

#include <arpa/inet.h>

enum { LABEL_MAX = 63 };

static bool is_domain_character(char c, unsigned flags)
{
	return ph_is_alpha(c) || ph_is_digit(c) || c == '-' || c == '_' ||
	       ((unsigned char)c >= 0x80 && flags & PH_ADDRESS_UTF8);
}

static bool is_label(struct ph_str label, unsigned flags)
{
	if (label.len == 0 || label.len > LABEL_MAX || label.data[0] == '-' ||
		label.data[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++)
		if (!is_domain_character(label.data[i], flags))
			return false;
	return true;
}

bool is_utf8(struct ph_str text)
{
	for (size_t i = 0; i < text.len;) {
		unsigned char first = (unsigned char)text.data[i++];
		unsigned char lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
		unsigned char highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
		int more = first < 0x80 ? 0 : first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
		if ((first >= 0x80 && first < 0xC2) || first > 0xF4)
			return false;
		for (; more > 0; more--, i++) {
			if (i == text.len || (unsigned char)text.data[i] < lowest ||
				(unsigned char)text.data[i] > highest)
				return false;
			lowest = 0x80;
			highest = 0xBF;
		}
	}
	return true;
}

bool is_domain(struct ph_str text, unsigned flags)
{
	struct ph_str label, rest = text;
	if (text.len == 0 || text.len > PH_ADDRESS_DOMAIN_MAX || text.data[text.len - 1] == '.' ||
		!is_utf8(text))
		return false;
	while (ph_str_split(&rest, '.', &label))
		if (!is_label(label, flags))
			return false;
	return true;
}

bool is_literal(struct ph_str text)
{
	char host[INET6_ADDRSTRLEN + 1];
	unsigned char address[16];
	int family = AF_INET;
	if (text.len < 2 || text.data[0] != '[' || text.data[text.len - 1] != ']')
		return false;
	text = ph_str_slice(text, 1, text.len - 1);
	if (ph_str_case_starts(text, PH_STR("IPv6:"))) {
		text = ph_str_slice(text, 5, text.len);
		family = AF_INET6;
	}
	if (text.len >= sizeof host || ph_str_find(text, 0) >= 0)
		return false;
	memcpy(host, text.data, text.len);
	host[text.len] = 0;
	return inet_pton(family, host, address) == 1;
}
