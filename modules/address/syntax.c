/* Paths and mailboxes (RFC 5321, 4.1.2):
 *
 *   path          = "<" [ A-d-l ":" ] Mailbox ">"
 *   A-d-l         = At-domain *( "," At-domain )
 *   Mailbox       = Local-part "@" ( Domain / address-literal )
 *   Local-part    = Dot-string / Quoted-string
 *   Dot-string    = Atom *("."  Atom)
 *   Quoted-string = DQUOTE *QcontentSMTP DQUOTE
 *
 * One departure: dots at an end of a Dot-string or beside each other are taken, as there are mailboxes so
 * named. */
#include "syntax.h"

#include <posthorn/error.h>

/* atext of RFC 5322, 3.2.3, and beyond ASCII of RFC 6531. */
static bool is_atext(char c, unsigned flags)
{
	if ((unsigned char)c >= 0x80)
		return flags & PH_ADDRESS_UTF8;
	return ph_is_alpha(c) || ph_is_digit(c) || (c != 0 && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static struct ph_str take_while(struct ph_str *rest, bool (*wanted)(char c, unsigned flags), unsigned flags)
{
	size_t length = 0;
	while (length < rest->len && wanted(rest->data[length], flags))
		length++;
	struct ph_str taken = ph_str_slice(*rest, 0, length);
	*rest = ph_str_slice(*rest, length, rest->len);
	return taken;
}

static bool take_char(struct ph_str *rest, char c)
{
	if (rest->len == 0 || rest->data[0] != c)
		return false;
	*rest = ph_str_slice(*rest, 1, rest->len);
	return true;
}

static bool is_dot_string_character(char c, unsigned flags)
{
	return c == '.' || is_atext(c, flags);
}

/* Unquotes into `pool`: a mailbox is the same with and without quotes. */
static int take_quoted(struct ph_str *rest, unsigned flags, struct ph_pool *pool, struct ph_str *local_r)
{
	size_t length = 0, at = 1;
	char text[PH_ADDRESS_LOCAL_MAX];
	for (; at < rest->len && rest->data[at] != '"'; at++) {
		if (rest->data[at] == '\\' && ++at == rest->len)
			return PH_E_INVALID;
		unsigned char c = (unsigned char)rest->data[at];
		if (c < ' ' || c == 127 || (c >= 0x80 && !(flags & PH_ADDRESS_UTF8)))
			return PH_E_INVALID;
		if (length == sizeof text)
			return PH_E_LIMIT;
		text[length++] = (char)c;
	}
	if (at >= rest->len || length == 0)
		return PH_E_INVALID;
	*rest = ph_str_slice(*rest, at + 1, rest->len);
	*local_r = ph_pool_str(pool, ph_str_of(text, length));
	return local_r->data ? 0 : PH_E_LIMIT;
}

static int take_local(struct ph_str *rest, unsigned flags, struct ph_pool *pool, struct ph_str *local_r)
{
	int result = 0;
	if (rest->len > 0 && rest->data[0] == '"') {
		result = take_quoted(rest, flags, pool, local_r);
	} else {
		struct ph_str local = take_while(rest, is_dot_string_character, flags);
		if (local.len == 0)
			return PH_E_INVALID;
		if (local.len > PH_ADDRESS_LOCAL_MAX)
			return PH_E_LIMIT;
		*local_r = ph_pool_str(pool, local);
		result = local_r->data ? 0 : PH_E_LIMIT;
	}
	return result == 0 && !is_utf8(*local_r) ? PH_E_INVALID : result;
}

static bool is_literal_character(char c, unsigned flags)
{
	(void)flags;
	return c > ' ' && c < 127 && c != ']' && c != '>';
}

static bool is_host_character(char c, unsigned flags)
{
	return c == '.' || c == '_' || is_atext(c, flags);
}

static int take_domain(struct ph_str *rest, unsigned flags, struct ph_pool *pool, struct ph_str *domain_r)
{
	struct ph_str begin = *rest;
	bool literal = rest->len > 0 && rest->data[0] == '[';
	take_while(rest, literal ? is_literal_character : is_host_character, flags);
	if (literal)
		take_char(rest, ']');
	struct ph_str domain = ph_str_slice(begin, 0, begin.len - rest->len);
	if (domain.len > PH_ADDRESS_DOMAIN_MAX)
		return PH_E_LIMIT;
	if (literal ? !is_literal(domain) : !is_domain(domain, flags))
		return PH_E_INVALID;
	*domain_r = ph_pool_str(pool, domain);
	if (!domain_r->data)
		return PH_E_LIMIT;
	for (size_t i = 0; !literal && i < domain.len; i++)
		((char *)domain_r->data)[i] = ph_lower(domain.data[i]);
	return 0;
}

static int take_mailbox(
	struct ph_str *rest, unsigned flags, struct ph_pool *pool, struct ph_address *address_r)
{
	int result = take_local(rest, flags, pool, &address_r->local);
	if (result < 0)
		return result;
	if (take_char(rest, '@'))
		return take_domain(rest, flags, pool, &address_r->domain);
	bool postmaster =
		flags & PH_ADDRESS_POSTMASTER && ph_str_case_eq(address_r->local, PH_STR("postmaster"));
	return postmaster ? 0 : PH_E_INVALID;
}

static int take_route(struct ph_str *rest, unsigned flags, struct ph_pool *pool)
{
	struct ph_str host;
	do {
		if (!take_char(rest, '@'))
			return PH_E_INVALID;
		int result = take_domain(rest, flags, pool, &host);
		if (result < 0)
			return result;
	} while (take_char(rest, ','));
	return take_char(rest, ':') ? 0 : PH_E_INVALID;
}

static int take_path(struct ph_str *rest, unsigned flags, struct ph_pool *pool, struct ph_address *address_r)
{
	int result = 0;
	if (!take_char(rest, '<'))
		return PH_E_INVALID;
	if (flags & PH_ADDRESS_NULL && take_char(rest, '>'))
		return 0;
	if (rest->len > 0 && rest->data[0] == '@')
		result = take_route(rest, flags, pool);
	if (result == 0)
		result = take_mailbox(rest, flags, pool, address_r);
	return result < 0 ? result : take_char(rest, '>') ? 0 : PH_E_INVALID;
}

int address_parse_path(
	struct ph_str *rest, unsigned flags, struct ph_pool *pool, struct ph_address *address_r)
{
	struct ph_str text = *rest;
	*address_r = (struct ph_address){ 0 };
	int result = take_path(&text, flags, pool, address_r);
	if (result == 0)
		*rest = text;
	return result;
}

int address_parse(struct ph_str text, unsigned flags, struct ph_pool *pool, struct ph_address *address_r)
{
	*address_r = (struct ph_address){ 0 };
	int result = take_mailbox(&text, flags, pool, address_r);
	return result == 0 && text.len > 0 ? PH_E_INVALID : result;
}

static bool needs_quotes(struct ph_str local)
{
	for (size_t i = 0; i < local.len; i++)
		if (!is_dot_string_character(local.data[i], PH_ADDRESS_UTF8))
			return true;
	return false;
}

static size_t add_quoted(char *out, struct ph_str local)
{
	size_t length = 0;
	out[length++] = '"';
	for (size_t i = 0; i < local.len; i++) {
		if (local.data[i] == '"' || local.data[i] == '\\')
			out[length++] = '\\';
		out[length++] = local.data[i];
	}
	out[length++] = '"';
	return length;
}

struct ph_str address_format(const struct ph_address *address, struct ph_pool *pool)
{
	struct ph_str local = address->local;
	char *text = ph_pool_alloc(pool, 2 * local.len + 2 + 1 + address->domain.len + 1);
	size_t length = 0;
	if (!text)
		return (struct ph_str){ NULL, 0 };
	if (needs_quotes(local)) {
		length = add_quoted(text, local);
	} else if (local.len > 0) {
		memcpy(text, local.data, local.len);
		length = local.len;
	}
	if (address->domain.len > 0) {
		text[length++] = '@';
		memcpy(text + length, address->domain.data, address->domain.len);
		length += address->domain.len;
	}
	return ph_str_of(text, length);
}

struct ph_str address_key(const struct ph_address *address, struct ph_pool *pool)
{
	struct ph_str key = ph_pool_printf(pool, "%.*s%s%.*s", PH_STR_ARGS(address->local),
		address->domain.len ? "@" : "", PH_STR_ARGS(address->domain));
	for (size_t i = 0; i < key.len; i++)
		((char *)key.data)[i] = ph_lower(key.data[i]);
	return key;
}

bool address_equal(const struct ph_address *a, const struct ph_address *b)
{
	return ph_str_case_eq(a->local, b->local) && ph_str_case_eq(a->domain, b->domain);
}

void address_split(
	struct ph_str local, struct ph_str separators, struct ph_str *user_r, struct ph_str *detail_r)
{
	*user_r = local;
	*detail_r = (struct ph_str){ NULL, 0 };
	for (size_t i = 1; i < local.len; i++) {
		if (ph_str_find(separators, local.data[i]) < 0)
			continue;
		*user_r = ph_str_slice(local, 0, i);
		*detail_r = ph_str_slice(local, i + 1, local.len);
		return;
	}
}

const struct ph_address_service address_service = {
	.parse_path = address_parse_path,
	.parse = address_parse,
	.format = address_format,
	.key = address_key,
	.equal = address_equal,
	.split = address_split,
	.is_domain = is_domain,
	.is_literal = is_literal,
};
