/* What another IMAP server answers, and the names of its mailboxes: the first byte chooses. What is read must
 * be what its users may rely on. */
#include <config.h>

#include "../../modules/imap/client/client_response.h"
#include "../../modules/imap/client/import.h"

#include <posthorn/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct ph_str text)
{
	static volatile char sink;

	for (size_t i = 0; i < text.len; i++)
		sink = text.data[i];
	(void)sink;
}

static void check_fetch(const struct response_fetch *fetch)
{
	for (size_t i = 0; i < fetch->flags.keyword_count; i++) {
		struct ph_str keyword = fetch->flags.keywords[i];

		PH_ASSERT(keyword.len > 0 && keyword.len <= PH_KEYWORD_MAX && is_atom_char(keyword.data[0]));
		read_all(keyword);
	}
	PH_ASSERT(!fetch->body.data || fetch->has_body);
	PH_ASSERT(!fetch->has_date || (fetch->date.zone > -24 * 60 && fetch->date.zone < 24 * 60));
	read_all(fetch->lost);
	read_all(fetch->body);
}

static void fuzz_response(struct ph_str text, struct ph_pool *pool)
{
	struct response response;

	if (!response_parse(text, pool, &response))
		return;
	PH_ASSERT(response.kind != RESPONSE_TAGGED || response.condition <= CONDITION_BAD);
	read_all(response.tag);
	read_all(response.code);
	read_all(response.code_argument);
	read_all(response.text);
	read_all(response.list.name);
	for (const struct response_namespace *space = response.namespaces; space; space = space->next)
		read_all(space->prefix);
	if (response.kind == RESPONSE_FETCH)
		check_fetch(&response.fetch);
}

/* "DELIMITER prefix NUL name" */
static void fuzz_name(struct ph_str text, struct ph_pool *pool)
{
	char delimiter = text.len > 0 ? text.data[0] : '\0';
	struct ph_str prefix, remote = ph_str_slice(text, 1, text.len), name;
	const char *why = NULL;

	if (!ph_str_split(&remote, '\0', &prefix))
		return;
	name = import_name(remote, delimiter, prefix, pool, &why);
	PH_ASSERT(name.data);
	PH_ASSERT((name.len > 0) == (remote.len > 0));
	PH_ASSERT(!delimiter || delimiter == '/' || delimiter == '_' || ph_str_find(name, delimiter) < 0);
	read_all(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_pool *pool;
	struct ph_str text;

	if (size == 0)
		return 0;
	pool = ph_pool_new(1 << 24);
	text = ph_str_of(data + 1, size - 1);
	if (data[0] % 2 == 0)
		fuzz_response(text, pool);
	else
		fuzz_name(text, pool);
	ph_pool_free(&pool);
	return 0;
}
