/* Names of mailboxes. In keys the "/" is written as the byte 1, which no name has, so that children follow
 * their parent at once. */
#include <config.h>

#include "name.h"

#include <string.h>

#include <posthorn/bytes.h>

#define KEY_NAME_MAX 440
#define HASH_SIZE 16

static const struct ph_str inbox = PH_STR_INIT("INBOX");

/* The length of the UTF-8 character at the front, or 0 if there is none that may stand in a name (RFC 3629,
 * 4; no control characters). */
static size_t character_length(struct ph_str s)
{
	const unsigned char *u = (const unsigned char *)s.data;
	size_t length = u[0] < 0x80   ? 1
			: u[0] < 0xc2 ? 0
			: u[0] < 0xe0 ? 2
			: u[0] < 0xf0 ? 3
			: u[0] < 0xf5 ? 4
				      : 0;

	if (length == 0 || length > s.len)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	}
	if (length == 1 && (u[0] < 0x20 || u[0] == 0x7f))
		return 0;
	if (length == 2 && u[0] == 0xc2 && u[1] < 0xa0)
		return 0;
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f))
		return 0;
	if ((u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return length;
}

static bool is_text(struct ph_str s)
{
	while (s.len > 0) {
		size_t length = character_length(s);

		if (length == 0)
			return false;
		s = ph_str_slice(s, length, s.len);
	}
	return true;
}

static int check_levels(struct ph_str text, unsigned depth_max)
{
	struct ph_str rest = text, level;
	unsigned depth = 0;

	if (text.data[text.len - 1] == '/')
		return PH_E_INVALID;
	while (ph_str_split(&rest, '/', &level)) {
		if (level.len == 0)
			return PH_E_INVALID;
		if (++depth > depth_max)
			return PH_E_LIMIT;
	}
	return 0;
}

int name_parse(struct ph_str text, unsigned depth_max, struct name *name_r)
{
	int result;

	if (text.len == 0 || !is_text(text))
		return PH_E_INVALID;
	if (text.len > PH_MAILBOX_NAME_MAX)
		return PH_E_LIMIT;
	result = check_levels(text, depth_max);
	if (result < 0)
		return result;
	name_r->len = text.len;
	memcpy(name_r->bytes, text.data, text.len);
	if (ph_str_case_starts(text, inbox) && (text.len == inbox.len || text.data[inbox.len] == '/'))
		memcpy(name_r->bytes, inbox.data, inbox.len);
	return 0;
}

bool name_is_inbox(struct ph_str name)
{
	return ph_str_eq(name, inbox);
}

bool name_is_below(struct ph_str name, struct ph_str parent)
{
	return name.len > parent.len && name.data[parent.len] == '/' && ph_str_starts(name, parent);
}

bool name_parent(struct ph_str name, struct ph_str *parent_r)
{
	ptrdiff_t end = ph_str_rfind(name, '/');

	if (end < 0)
		return false;
	*parent_r = ph_str_slice(name, 0, (size_t)end);
	return true;
}

static unsigned char sort_byte(char c)
{
	return c == '/' ? 1 : (unsigned char)c;
}

int name_compare(struct ph_str a, struct ph_str b)
{
	size_t i = 0;

	while (i < a.len && i < b.len && a.data[i] == b.data[i])
		i++;
	if (i == a.len || i == b.len)
		return (a.len > b.len) - (a.len < b.len);
	return sort_byte(a.data[i]) - sort_byte(b.data[i]);
}

static uint64_t hash(struct ph_str s, uint64_t seed)
{
	for (size_t i = 0; i < s.len; i++) {
		seed = (seed ^ (unsigned char)s.data[i]) * UINT64_C(0x100000001b3);
		seed ^= seed >> 31;
	}
	return seed;
}

struct ph_str name_key_prefix(struct key *key, char kind, struct ph_str name)
{
	size_t len = name.len < KEY_NAME_MAX ? name.len : KEY_NAME_MAX;

	key->bytes[0] = kind;
	for (size_t i = 0; i < len; i++)
		key->bytes[1 + i] = (char)sort_byte(name.data[i]);
	return ph_str_of(key->bytes, 1 + len);
}

struct ph_str name_key(struct key *key, char kind, struct ph_str name)
{
	struct ph_str prefix = name_key_prefix(key, kind, name);

	if (name.len <= KEY_NAME_MAX)
		return prefix;
	ph_bytes_put64(key->bytes + prefix.len, hash(name, UINT64_C(0xcbf29ce484222325)));
	ph_bytes_put64(key->bytes + prefix.len + 8, hash(name, UINT64_C(0x9ae16a3b2f90404f)));
	return ph_str_of(key->bytes, prefix.len + HASH_SIZE);
}
