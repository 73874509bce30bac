/* LIST and LSUB (RFC 3501, 6.3.8 and 6.3.9) with \HasChildren (RFC 3348) and special uses (RFC 6154). */
#include <stdlib.h>

#include <posthorn/fiber.h>

#include "pattern.h"
#include "print.h"
#include "session.h"

/* So many steps are made before others get their turn: a name of so many bytes in a pattern of so many. */
#define STRETCH (256 * 1024)
#define PIECE 8192

/* "(" "SPECIAL-USE" ")" (RFC 6154, 2) */
static bool parse_special_use_option(struct parser *parser)
{
	return parse_char(parser, '(') &&
	       (parse_word(parser, "SPECIAL-USE") || parse_failed(parser, "Unknown LIST option")) &&
	       parse_char(parser, ')');
}

/* list = "LIST" [SP "(SPECIAL-USE)"] SP mailbox SP list-mailbox [SP "RETURN" SP "(SPECIAL-USE)"]
 * The attributes of special use are always returned, so that asking for them changes nothing. */
static bool parse_list(struct parser *parser, struct call *call)
{
	if (!parse_space(parser))
		return false;
	call->list.only_special_use = parse_look(parser) == '(';
	if (call->list.only_special_use && (!parse_special_use_option(parser) || !parse_space(parser)))
		return false;
	/* The reference may be anything that begins a pattern. */
	if (!parse_list_mailbox(parser, &call->list.reference) || !parse_space(parser) ||
		!parse_list_mailbox(parser, &call->list.pattern))
		return false;
	if (parse_at_end(parser))
		return true;
	if (!parse_space(parser) ||
		(!parse_word(parser, "RETURN") && !parse_failed(parser, "Unknown LIST option")))
		return false;
	return parse_space(parser) && parse_special_use_option(parser) && parse_end(parser);
}

bool check_list(void *session, void *pointer)
{
	struct call *call = pointer;

	(void)session;
	return parse_list(&call->parser, call) || reply_parse_error(call);
}

struct listing {
	struct call *call;
	const char *response; /* "LIST" or "LSUB" */
	struct ph_str pattern;
	struct ph_mailbox_entry *entries;
	size_t count;
	size_t steps; /* since others had their turn */
	struct ph_buf out;
};

static void write_out(struct listing *listing, size_t limit)
{
	if (listing->out.len <= limit)
		return;
	ph_conn_write(listing->call->conn, ph_buf_str(&listing->out));
	ph_buf_reset(&listing->out);
}

static void print_name(struct listing *listing, struct ph_str name)
{
	ph_buf_add_text(&listing->out, ") \"/\" ");
	print_mailbox(&listing->out, name);
	ph_buf_add_text(&listing->out, "\r\n");
	write_out(listing, PIECE);
}

static void print_entry(struct listing *listing, const struct ph_mailbox_entry *entry)
{
	ph_buf_printf(&listing->out, "* %s (%s\\Has%sChildren", listing->response,
		entry->exists ? "" : "\\Noselect ", entry->has_children ? "" : "No");
	print_special_use(&listing->out, entry->special_use);
	print_name(listing, entry->name);
}

/* LIST "" "" asks for the delimiter and the root (6.3.8). */
static void print_root(struct listing *listing)
{
	struct ph_str reference = listing->call->list.reference;
	ptrdiff_t slash = ph_str_find(reference, '/');

	ph_buf_printf(&listing->out, "* %s (\\Noselect", listing->response);
	ph_buf_add_text(&listing->out, ") \"/\" ");
	if (slash >= 0)
		print_mailbox(&listing->out, ph_str_slice(reference, 0, (size_t)slash + 1));
	else
		ph_buf_add_text(&listing->out, "\"\"");
	ph_buf_add_text(&listing->out, "\r\n");
}

static bool is_listed(const struct listing *listing, const struct ph_mailbox_entry *entry)
{
	if (!entry->exists && !entry->has_children)
		return false;
	if (listing->call->list.only_special_use && !entry->special_use)
		return false;
	return pattern_matches(listing->pattern, entry->name);
}

/* Long patterns and deep names make a few names as costly as thousands of others. */
static void let_others(struct listing *listing, struct ph_str name)
{
	listing->steps += (name.len + 1) * (listing->pattern.len + 1);
	if (listing->steps < STRETCH)
		return;
	listing->steps = 0;
	ph_fiber_yield();
}

static void list_all(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		if (is_listed(listing, &listing->entries[i]))
			print_entry(listing, &listing->entries[i]);
		let_others(listing, listing->entries[i].name);
	}
}

static int compare_entries(const void *a, const void *b)
{
	return ph_str_cmp(
		((const struct ph_mailbox_entry *)a)->name, ((const struct ph_mailbox_entry *)b)->name);
}

static bool is_subscribed(const struct listing *listing, struct ph_str name)
{
	const struct ph_mailbox_entry wanted = { .name = name };
	const struct ph_mailbox_entry *found = bsearch(
		&wanted, listing->entries, listing->count, sizeof(*listing->entries), compare_entries);

	return found && found->subscribed;
}

/* "foo/bar" is subscribed to, "foo" is not: "%" lists foo, as \Noselect (6.3.9). `former` is the subscribed
 * name before this one in the order of names: levels it has too were listed with it. */
static void list_levels(struct listing *listing, struct ph_str name, struct ph_str former)
{
	for (size_t i = 0; i < name.len; i++) {
		struct ph_str level = ph_str_slice(name, 0, i);
		if (name.data[i] != '/' || ph_str_starts(former, ph_str_slice(name, 0, i + 1)))
			continue;
		let_others(listing, level);
		if (is_subscribed(listing, level) || !pattern_matches(listing->pattern, level))
			continue;
		ph_buf_printf(&listing->out, "* %s (\\Noselect", listing->response);
		print_name(listing, level);
	}
}

static void list_subscribed(struct listing *listing)
{
	bool levels = ph_str_ends(listing->pattern, PH_STR("%"));
	struct ph_str former = PH_STR("");

	qsort(listing->entries, listing->count, sizeof(*listing->entries), compare_entries);
	for (size_t i = 0; i < listing->count; i++) {
		const struct ph_mailbox_entry *entry = &listing->entries[i];
		let_others(listing, entry->name);
		if (!entry->subscribed)
			continue;
		if (levels)
			list_levels(listing, entry->name, former);
		if (pattern_matches(listing->pattern, entry->name))
			print_entry(listing, entry);
		former = entry->name;
	}
}

static void list(struct call *call, const char *response, void (*run)(struct listing *listing))
{
	struct session *session = call->session;
	struct listing listing = { .call = call, .response = response };
	struct ph_error error = { 0 };
	int code = 0;

	ph_buf_init(&listing.out, 1024 * 1024);
	if (call->list.pattern.data && call->list.pattern.len == 0) {
		print_root(&listing);
	} else if (call->list.pattern.data && call->list.reference.data) {
		listing.pattern = ph_pool_printf(call->pool, "%.*s%.*s", PH_STR_ARGS(call->list.reference),
			PH_STR_ARGS(call->list.pattern));
		code = store->mailbox_list(session->actor, session->actor.account, call->pool,
			&listing.entries, &listing.count, &error);
		if (code == 0)
			run(&listing);
	}
	write_out(&listing, 0);
	ph_buf_free(&listing.out);
	if (code != 0)
		reply_error(call, code, &error);
	else
		reply_ok(call, "%s completed", response);
}

void cmd_list(void *session, void *call)
{
	(void)session;
	list(call, "LIST", list_all);
}

void cmd_lsub(void *session, void *call)
{
	(void)session;
	list(call, "LSUB", list_subscribed);
}
