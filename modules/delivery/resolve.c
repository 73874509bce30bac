/* Where a recipient's mail goes. In this order: an alias of the whole address, an account of it; the same for
 * the address without its sub-address; the postmaster that the configuration names; the domain's catch-all.
 *
 * An alias may lead to further aliases. One that names itself means the account of that name. A member that
 * leads nowhere is logged and left out as long as another one is reached. */
#include <config.h>

#include "delivery.h"

#include <posthorn/log.h>
#include <posthorn/map.h>

struct delivery_config delivery_config;
struct delivery_services delivery_services;

/* Lower-case address (or "@domain") -> struct ph_text_map_entry. */
static struct ph_map *aliases;

/* One resolve: what was found, and the aliases being followed just now. */
struct expansion {
	struct ph_pool *pool;
	struct ph_error *error;
	struct ph_route_target *targets;
	size_t count;
	int64_t steps;
};

/* An alias being followed, on the stack of those who follow it. */
struct chain {
	const struct chain *outer;
	const struct ph_text_map_entry *alias;
	int64_t depth;
};

static int expand(struct expansion *x, const struct ph_address *address, const struct chain *chain);

/* --- the index of aliases --- */

static bool alias_is_good(const struct ph_text_map_entry *entry, struct ph_pool *pool)
{
	const struct ph_address_service *service = delivery_services.address;
	struct ph_str key = ph_str(entry->key);
	struct ph_address address;

	if (ph_str_starts(key, PH_STR("@"))) {
		if (!service->is_domain(ph_str_slice(key, 1, key.len), 0))
			return false;
	} else if (service->parse(key, 0, pool, &address) != 0) {
		return false;
	}
	for (size_t i = 0; i < entry->values.count; i++)
		if (service->parse(ph_str(entry->values.items[i]), 0, pool, &address) != 0)
			return false;
	return true;
}

static struct ph_str lower(struct ph_str s, struct ph_pool *pool)
{
	char *copy = ph_pool_alloc(pool, s.len + 1);

	for (size_t i = 0; i < s.len; i++)
		copy[i] = ph_lower(s.data[i]);
	return ph_str_of(copy, s.len);
}

static struct ph_str alias_key(const char *text, struct ph_pool *pool)
{
	struct ph_address address;

	if (text[0] == '@' || delivery_services.address->parse(ph_str(text), 0, pool, &address) != 0)
		return lower(ph_str(text), pool);
	return delivery_services.address->key(&address, pool);
}

int delivery_aliases_open(struct ph_error *error)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_address postmaster;
	int code = 0;

	aliases = ph_map_new();
	for (size_t i = 0; i < delivery_config.aliases.count && code == 0; i++) {
		const struct ph_text_map_entry *entry = &delivery_config.aliases.entries[i];

		if (!alias_is_good(entry, pool))
			code = ph_error_set(error, PH_E_INVALID, "delivery.aliases: not an address",
				"delivery.aliases: '%s' or what it leads to is not an address", entry->key);
		else
			ph_map_put(aliases, alias_key(entry->key, pool), (void *)entry);
	}
	if (code == 0 && delivery_config.postmaster[0] &&
		delivery_services.address->parse(ph_str(delivery_config.postmaster), 0, pool, &postmaster) !=
			0)
		code = ph_error_set(error, PH_E_INVALID, "delivery.postmaster: not an address", NULL);
	ph_pool_free(&pool);
	return code;
}

void delivery_aliases_close(void)
{
	ph_map_free(&aliases);
}

/* --- resolving --- */

static const struct ph_text_map_entry *alias_find(struct ph_str key)
{
	return ph_map_get(aliases, key);
}

static bool being_followed(const struct chain *chain, const struct ph_text_map_entry *alias)
{
	for (; chain; chain = chain->outer)
		if (chain->alias == alias)
			return true;
	return false;
}

static int no_such_user(struct expansion *x, const struct ph_address *address)
{
	return ph_error_set(x->error, PH_E_ABSENT, "No such user here", "no account or alias for %.*s@%.*s",
		PH_STR_ARGS(address->local), PH_STR_ARGS(address->domain));
}

static int too_many(struct expansion *x)
{
	return ph_error_set(
		x->error, PH_E_LIMIT, "The aliases of this address go round or lead to too many", NULL);
}

static int add_target(struct expansion *x, const struct ph_account *account, struct ph_str mailbox)
{
	for (size_t i = 0; i < x->count; i++)
		if (x->targets[i].account == account->id && ph_str_eq(x->targets[i].mailbox, mailbox))
			return 0;
	if (x->count == (size_t)delivery_config.max_alias_targets)
		return too_many(x);
	x->targets[x->count++] = (struct ph_route_target){ account->id, account->address, mailbox };
	return 0;
}

/* The mailbox a sub-address names, when the account has one of that name. */
static int mailbox_of_detail(
	struct expansion *x, const struct ph_account *account, struct ph_str detail, struct ph_str *mailbox_r)
{
	struct ph_mailbox_status status;
	int code;

	*mailbox_r = PH_STR("INBOX");
	if (!delivery_config.mailbox_by_detail || detail.len == 0 || detail.len > PH_MAILBOX_NAME_MAX)
		return 0;
	code = delivery_services.store->mailbox_status(
		PH_ACTOR_SYSTEM, account->id, detail, &status, x->error);
	if (code == 0)
		*mailbox_r = ph_pool_str(x->pool, detail);
	return code == PH_E_ABSENT || code == PH_E_INVALID ? 0 : code;
}

static int try_account(struct expansion *x, struct ph_str key, struct ph_str detail)
{
	struct ph_account account;
	struct ph_str mailbox;
	int code = delivery_services.store->account_find(PH_ACTOR_SYSTEM, key, x->pool, &account, x->error);

	if (code == 0)
		code = mailbox_of_detail(x, &account, detail, &mailbox);
	return code == 0 ? add_target(x, &account, mailbox) : code;
}

static int expand_text(struct expansion *x, const char *text, const struct chain *chain)
{
	struct ph_address address;
	int code = delivery_services.address->parse(ph_str(text), 0, x->pool, &address);

	return code == 0 ? expand(x, &address, chain) : code;
}

static bool leads_nowhere(int code)
{
	return code == PH_E_ABSENT || code == PH_E_UNSUPPORTED || code == PH_E_INVALID;
}

static int follow(struct expansion *x, const struct ph_text_map_entry *alias, const struct chain *outer)
{
	struct chain chain = { outer, alias, outer ? outer->depth + 1 : 1 };
	bool reached = false;

	if (chain.depth > delivery_config.max_alias_depth)
		return too_many(x);
	for (size_t i = 0; i < alias->values.count; i++) {
		int code = expand_text(x, alias->values.items[i], &chain);

		if (code != 0 && !leads_nowhere(code))
			return code;
		reached |= code == 0;
		if (code != 0)
			ph_log(PH_LOG_WARN, "alias leads nowhere", PH_LOG_TEXT("alias", alias->key),
				PH_LOG_TEXT("to", alias->values.items[i]),
				PH_LOG_TEXT("why", ph_code_name(code)));
	}
	return reached ? 0
		       : ph_error_set(x->error, PH_E_ABSENT, "No such user here",
				 "the alias %s leads to nobody here", alias->key);
}

/* An alias or an account of exactly this address; PH_E_ABSENT when there is neither. */
static int try_address(struct expansion *x, const struct ph_address *address, struct ph_str detail,
	const struct chain *chain)
{
	struct ph_str key = delivery_services.address->key(address, x->pool);
	const struct ph_text_map_entry *alias = alias_find(key);
	bool round = alias && being_followed(chain, alias);
	int code;

	if (alias && !round)
		return follow(x, alias, chain);
	code = try_account(x, key, detail);
	return code == PH_E_ABSENT && round ? too_many(x) : code;
}

static int try_without_detail(
	struct expansion *x, const struct ph_address *address, const struct chain *chain)
{
	struct ph_address base = *address;
	struct ph_str detail;

	delivery_services.address->split(
		address->local, ph_str(delivery_config.separator), &base.local, &detail);
	return detail.data ? try_address(x, &base, detail, chain) : PH_E_ABSENT;
}

/* RFC 5321, 4.5.1: postmaster, in any case, at each domain served here and without a domain. */
static int try_postmaster(struct expansion *x, const struct ph_address *address, const struct chain *chain)
{
	static const struct ph_text_map_entry postmaster = { .key = "postmaster" };
	struct chain here = { chain, &postmaster, chain ? chain->depth + 1 : 1 };

	if (!ph_str_case_eq(address->local, PH_STR("postmaster")) || !delivery_config.postmaster[0] ||
		being_followed(chain, &postmaster))
		return PH_E_ABSENT;
	return expand_text(x, delivery_config.postmaster, &here);
}

static int try_catch_all(struct expansion *x, const struct ph_address *address, const struct chain *chain)
{
	struct ph_str key = ph_pool_printf(x->pool, "@%.*s", PH_STR_ARGS(address->domain));
	const struct ph_text_map_entry *alias = alias_find(key);

	return alias && !being_followed(chain, alias) ? follow(x, alias, chain) : PH_E_ABSENT;
}

/* Whatever leads on where there is neither alias nor account; PH_E_UNSUPPORTED in a domain of others. */
static int try_domain(struct expansion *x, const struct ph_address *address, const struct chain *chain)
{
	bool local = address->domain.len == 0;
	int code = 0;

	if (!local)
		code = delivery_services.store->domain_is_local(address->domain, &local, x->error);
	if (code != 0)
		return code;
	code = local ? try_postmaster(x, address, chain) : PH_E_ABSENT;
	if (code == PH_E_ABSENT && address->domain.len > 0)
		code = try_catch_all(x, address, chain);
	if (code == PH_E_ABSENT && !local)
		return ph_error_set(x->error, PH_E_UNSUPPORTED, "Not a domain of this server",
			"%.*s is not local", PH_STR_ARGS(address->domain));
	return code;
}

/* <postmaster> without a domain is the postmaster of the first domain served here. */
static struct ph_address with_domain(const struct ph_address *address)
{
	const struct ph_core_config *core;
	struct ph_address whole = *address;

	if (whole.domain.len > 0)
		return whole;
	core = ph_core_config();
	whole.domain = ph_str(core->domains.count > 0 ? core->domains.items[0] : core->hostname);
	return whole;
}

static int expand(struct expansion *x, const struct ph_address *address, const struct chain *chain)
{
	struct ph_address whole = with_domain(address);
	int code;

	if (++x->steps > delivery_config.max_alias_targets * delivery_config.max_alias_depth)
		return too_many(x);
	code = try_address(x, &whole, (struct ph_str){ 0 }, chain);
	if (code == PH_E_ABSENT)
		code = try_without_detail(x, &whole, chain);
	if (code == PH_E_ABSENT)
		code = try_domain(x, address, chain);
	return code == PH_E_ABSENT ? no_such_user(x, &whole) : code;
}

struct ph_str delivery_detail(struct ph_str local)
{
	struct ph_str user, detail;

	delivery_services.address->split(local, ph_str(delivery_config.separator), &user, &detail);
	return detail;
}

int delivery_resolve(const struct ph_address *recipient, struct ph_pool *pool, struct ph_route *route_r,
	struct ph_error *error)
{
	struct ph_error unused;
	struct expansion x = { .pool = pool, .error = error ? error : &unused };
	int code;

	x.targets = ph_pool_array(pool, (size_t)delivery_config.max_alias_targets, sizeof(*x.targets));
	if (!x.targets)
		return ph_error_set(error, PH_E_LIMIT, "Too many recipients", NULL);
	code = expand(&x, recipient, NULL);
	*route_r = (struct ph_route){ .targets = x.targets, .count = code == 0 ? x.count : 0 };
	return code;
}
