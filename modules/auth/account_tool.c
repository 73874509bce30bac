/* `posthorn account`: making, listing and removing accounts, and setting their passwords. Secrets come from
 * the terminal or from stdin, never from the command line, where all users of the machine could read them. */
#include <config.h>

#include "account_tool.h"

#include "login.h"
#include "password.h"
#include "sasl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <posthorn/service.h>
#include <posthorn/store.h>

static const struct ph_store_service *store;

/* Asks for a password and hashes it. False, with a message, when that does not work. */
static bool read_password(char hash_r[PASSWORD_HASH_SIZE])
{
	char secret[SASL_PASSWORD_MAX + 1];
	struct ph_error error = { 0 };
	bool done = false;

	if (!ph_tool_read_secret("Password", true, secret, sizeof(secret)))
		return false;
	if (strlen(secret) < (size_t)auth_config.min_password)
		fprintf(stderr, "posthorn: the password must have at least %" PRId64 " characters\n",
			auth_config.min_password);
	else if (password_hash(ph_str(secret), (int)auth_config.cost, hash_r, &error) < 0)
		ph_tool_failed("password", &error);
	else
		done = true;
	ph_wipe(secret, sizeof(secret));
	return done;
}

static bool takes_one(int argc)
{
	if (argc == 1)
		return true;
	fputs("posthorn: give one address\n", stderr);
	return false;
}

static int add(int argc, char **argv)
{
	char hash[PASSWORD_HASH_SIZE];
	struct ph_error error = { 0 };
	ph_account_id id;

	if (!takes_one(argc))
		return PH_EXIT_USAGE;
	if (!read_password(hash))
		return PH_EXIT_FAILED;
	if (store->account_create(PH_ACTOR_SYSTEM, ph_str(argv[0]), ph_str(hash), &id, &error) < 0)
		return ph_tool_failed(argv[0], &error);
	printf("account %s added\n", argv[0]);
	return PH_EXIT_OK;
}

static void print_account(const struct ph_account *account)
{
	char day[16] = "";
	time_t created = (time_t)account->created;
	struct tm broken;
	if (gmtime_r(&created, &broken))
		strftime(day, sizeof(day), "%Y-%m-%d", &broken);
	printf("%.*s\t%s\t%s\n", PH_STR_ARGS(account->address), day,
		account->disabled ? "disabled" : "active");
}

static int list(int argc, char **argv)
{
	struct ph_error error = { 0 };
	struct ph_account *accounts;
	size_t count;

	(void)argv;
	if (argc != 0) {
		fputs("posthorn: account list takes no arguments\n", stderr);
		return PH_EXIT_USAGE;
	}
	struct ph_pool *pool = ph_pool_new(0);
	int code = store->account_list(PH_ACTOR_SYSTEM, pool, &accounts, &count, &error);
	for (size_t i = 0; code == 0 && i < count; i++)
		print_account(&accounts[i]);
	ph_pool_free(&pool);
	return code < 0 ? ph_tool_failed("accounts", &error) : PH_EXIT_OK;
}

/* Finds the account of that address, before anybody is asked for a secret. Returns a ph_exit. */
static int find(const char *address, ph_account_id *id_r)
{
	struct ph_error error = { 0 };
	struct ph_account account;
	struct ph_pool *pool = ph_pool_new(0);
	int code = store->account_find(PH_ACTOR_SYSTEM, ph_str(address), pool, &account, &error);
	*id_r = code == 0 ? account.id : 0;
	ph_pool_free(&pool);
	return code < 0 ? ph_tool_failed(address, &error) : PH_EXIT_OK;
}

static int passwd(int argc, char **argv)
{
	char hash[PASSWORD_HASH_SIZE];
	struct ph_error error = { 0 };
	ph_account_id id;

	if (!takes_one(argc))
		return PH_EXIT_USAGE;
	int status = find(argv[0], &id);
	if (status != PH_EXIT_OK)
		return status;
	if (!read_password(hash))
		return PH_EXIT_FAILED;
	if (store->account_set_password(PH_ACTOR_SYSTEM, id, ph_str(hash), &error) < 0)
		return ph_tool_failed(argv[0], &error);
	printf("password of %s changed\n", argv[0]);
	return PH_EXIT_OK;
}

static int remove_account(int argc, char **argv)
{
	struct ph_error error = { 0 };
	ph_account_id id;

	if (!takes_one(argc))
		return PH_EXIT_USAGE;
	int status = find(argv[0], &id);
	if (status != PH_EXIT_OK)
		return status;
	if (store->account_remove(PH_ACTOR_SYSTEM, id, &error) < 0)
		return ph_tool_failed(argv[0], &error);
	printf("account %s and its mail removed\n", argv[0]);
	return PH_EXIT_OK;
}

const struct ph_tool account_tools[] = {
	{ "account add", "ADDRESS", "Makes an account; the password is asked for, or read from stdin.", add },
	{ "account list", "", "Lists the accounts: address, day of creation, active or disabled.", list },
	{ "account passwd", "ADDRESS", "Sets a new password, which is asked for, or read from stdin.",
		passwd },
	{ "account remove", "ADDRESS", "Removes an account with all its mail.", remove_account },
	{ 0 },
};

void account_tool_init(void)
{
	store = ph_service(PH_STORE_SERVICE);
}
