#ifndef ADDRESS_SYNTAX_H
#define ADDRESS_SYNTAX_H

#include <posthorn/address.h>

/* As in struct ph_address_service. */
int address_parse_path(
	struct ph_str *rest, unsigned flags, struct ph_pool *pool, struct ph_address *address_r);
int address_parse(struct ph_str text, unsigned flags, struct ph_pool *pool, struct ph_address *address_r);
struct ph_str address_format(const struct ph_address *address, struct ph_pool *pool);
struct ph_str address_key(const struct ph_address *address, struct ph_pool *pool);
bool address_equal(const struct ph_address *a, const struct ph_address *b);
void address_split(
	struct ph_str local, struct ph_str separators, struct ph_str *user_r, struct ph_str *detail_r);
bool is_domain(struct ph_str text, unsigned flags);
bool is_literal(struct ph_str text);

/* Well-formed UTF-8 (RFC 3629)? */
bool is_utf8(struct ph_str text);

extern const struct ph_address_service address_service;

#endif
