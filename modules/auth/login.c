/* From credentials to an account: the hook has its say, then the account's own password decides.
 *
 * Whoever guesses learns nothing: an unknown user costs the same time as a wrong password and gets the same
 * answer, and each failure on a connection is answered later than the one before, until there were too many.
 */
#include <config.h>

#include "login.h"

#include "password.h"
#include "recent.h"
#include "sasl.h"

#include <stdio.h>

#include <posthorn/log.h>
#include <posthorn/metric.h>
#include <posthorn/service.h>

#define WRONG "wrong user or password"
/* A session's attribute: how many logins failed on it. Policies see it as session.login_failures. */
#define FAILURES "login_failures"

struct auth_config auth_config;

const struct ph_option auth_options[] = { PH_OPTION_NUMBER(struct auth_config, cost, "5", 1, 11,
						  "Cost of the yescrypt hashes made for new passwords; each "
						  "step doubles time and memory. 5 is some 16 MB."),
	PH_OPTION_NUMBER(struct auth_config, min_password, "1", 1, 100,
		"The shortest password an account may be given."),
	PH_OPTION_NUMBER(struct auth_config, max_failures, "5", 1, 100,
		"After so many failed logins a connection is closed."),
	PH_OPTION_TIME(struct auth_config, failure_delay, "1s", 0, 60000,
		"How long the first failed login of a connection waits for its answer; each further one "
		"waits twice as long."),
	PH_OPTION_TIME(struct auth_config, max_delay, "15s", 0, 300000, "The longest such delay."),
	PH_OPTION_TIME(struct auth_config, remember, "30s", 0, 3600000,
		"For so long a worker knows a password again without hashing it anew; 0 for never. Only "
		"keyed digests are "
		"kept, and a changed password is noticed at once."),
	PH_OPTION_TEXT(struct auth_config, default_domain, "", 255,
		"The domain of logins without '@'; empty: the login name must be a whole address."),
	PH_OPTIONS_END };

static const struct ph_store_service *store;
static struct ph_metric *succeeded, *failed, *undecided;

/* One login under way. */
struct attempt {
	struct ph_conn *conn;
	const char *mechanism;
	struct ph_str user; /* whole, with its domain */
	struct ph_str authorize;
	struct ph_str password;
	struct ph_pool *pool;
};

/* --- What policies see --- */

static void get_user(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(((const struct attempt *)object)->user);
}

static void get_mechanism(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(ph_str(((const struct attempt *)object)->mechanism));
}

static void get_password(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_STR(((const struct attempt *)object)->password);
}

const struct ph_object_type auth_credentials_type = {
	.name = "credentials",
	.help = "What a client sent to log in.",
	.fields = (const struct ph_object_field
			[]){ { "user", PH_STRING, get_user,
				     "the login name, with the default domain if it had none" },
		{ "mechanism", PH_STRING, get_mechanism,
			"\"PLAIN\", \"LOGIN\", or \"PASSWORD\" for a protocol's own login command" },
		{ "password", PH_STRING, get_password,
			"the secret itself, for policies that check it elsewhere; never log or store it" },
		{ 0 } },
};

struct ph_hook_point auth_verify_hook = {
	.name = "auth.verify",
	.decides = true,
	.help = "At each login, before the password is checked. 'accept' logs in without a check of the "
		"password, as the "
		"account of that name or, with accept{user = ADDRESS}, as another; 'rewrite' goes on with "
		"another login name, "
		"whose password is then checked; 'disconnect' refuses and closes the connection.",
	.arguments =
		(const struct ph_hook_argument[]){
			{ "credentials", PH_OBJECT, &auth_credentials_type, "who wants to log in" }, { 0 } },
	.verdicts = PH_ALLOWS(PH_ACCEPT) | PH_ALLOWS(PH_REJECT) | PH_ALLOWS(PH_DEFER) |
		    PH_ALLOWS(PH_REWRITE) | PH_ALLOWS(PH_DISCONNECT),
	.on_failure = { .kind = PH_DEFER, .text = PH_STR_INIT("cannot check logins now, try again later") },
	.example = "posthorn.on(\"auth.verify\", function(session, credentials)\n"
		   "  if credentials.user:match(\"^admin@\") and session.ip ~= \"127.0.0.1\" then\n"
		   "    return posthorn.reject(\"not from there\")\n"
		   "  end\n"
		   "end)",
};

/* --- Failures --- */

static uint64_t failures(const struct ph_conn *conn)
{
	uint64_t count;
	return ph_str_number(ph_conn_attribute(conn, FAILURES), UINT32_MAX, &count) ? count : 0;
}

/* How long the answer to the n-th failure waits. */
static ph_msec delay_of(uint64_t count)
{
	ph_msec delay = auth_config.failure_delay;
	for (uint64_t i = 1; i < count && delay < auth_config.max_delay; i++)
		delay *= 2;
	return delay < auth_config.max_delay ? delay : auth_config.max_delay;
}

/* The session's own fields, such as the address, are in the line by themselves. */
static void log_attempt(
	enum ph_log_level level, const char *event, const struct attempt *attempt, const char *why)
{
	ph_log(level, event, PH_LOG_STR("login", attempt->user), PH_LOG_TEXT("mechanism", attempt->mechanism),
		PH_LOG_TEXT("tls", ph_conn_tls_version(attempt->conn)), PH_LOG_TEXT("reason", why));
}

/* May park: counts a failure, lets the client wait, and gives PH_E_DENIED, or PH_E_LIMIT for the last. */
static int deny(const struct attempt *attempt, const char *client, const char *why, struct ph_error *error)
{
	char text[24];
	uint64_t count = failures(attempt->conn) + 1;
	bool last = count >= (uint64_t)auth_config.max_failures;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)count);
	ph_conn_set_attribute(attempt->conn, FAILURES, ph_str(text));
	ph_metric_add(failed, 1);
	log_attempt(PH_LOG_WARN, "login failed", attempt, why);
	ph_fiber_sleep(delay_of(count));
	return ph_error_set(error, last ? PH_E_LIMIT : PH_E_DENIED, client, "%s", why);
}

static int postpone(
	const struct attempt *attempt, const char *client, const char *why, struct ph_error *error)
{
	ph_metric_add(undecided, 1);
	log_attempt(PH_LOG_WARN, "login postponed", attempt, why);
	return ph_error_set(error, PH_E_UNAVAILABLE, client, "%s", why);
}

/* --- Deciding --- */

/* The login name as an address: with the default domain when it has none. */
static struct ph_str whole_name(struct ph_pool *pool, struct ph_str name)
{
	if (ph_str_find(name, '@') >= 0 || auth_config.default_domain[0] == '\0')
		return ph_pool_str(pool, name);
	return ph_pool_printf(pool, "%.*s@%s", PH_STR_ARGS(name), auth_config.default_domain);
}

/* May park. 1: the password is right; 0: it is not, or there is no such account; PH_E_UNAVAILABLE. */
static int check_password(
	const struct attempt *attempt, const struct ph_account *account, struct ph_error *error)
{
	int code;
	if (!account) {
		code = password_check_nobody(attempt->password, (int)auth_config.cost, error);
		return code < 0 ? code : 0;
	}
	if (recent_has(account->address, account->password_hash, attempt->password))
		return 1;
	code = password_check(attempt->password, account->password_hash, error);
	if (code == 1)
		recent_add(account->address, account->password_hash, attempt->password);
	return code;
}

/* May a client that logged in act as whom it named (RFC 4616)? Only as itself, by its login name or its
 * account's. */
static bool may_act_as(const struct attempt *attempt, const struct ph_account *account)
{
	struct ph_str name = whole_name(attempt->pool, attempt->authorize);
	return attempt->authorize.len == 0 || ph_str_case_eq(name, attempt->user) ||
	       ph_str_case_eq(name, account->address);
}

static int let_in(const struct attempt *attempt, const struct ph_account *account, const char *why,
	struct ph_login *login_r, struct ph_error *error)
{
	if (account->disabled)
		return deny(attempt, WRONG, "the account is disabled", error);
	if (!may_act_as(attempt, account))
		return deny(attempt, "may not act as another user", "wants to act as another user", error);
	*login_r = (struct ph_login){ { account->id, false }, account->address };
	ph_conn_set_user(attempt->conn, account->address);
	ph_metric_add(succeeded, 1);
	log_attempt(PH_LOG_INFO, "login", attempt, why);
	return 0;
}

/* May park. The account that logs in, when its password (or, if `trusted`, a policy) says so. */
static int decide(const struct attempt *attempt, struct ph_str name, bool trusted, struct ph_login *login_r,
	struct ph_error *error)
{
	struct ph_account account;
	struct ph_error trouble = { 0 };
	int found = store->account_find(PH_ACTOR_SYSTEM, name, attempt->pool, &account, &trouble);
	if (found < 0 && found != PH_E_ABSENT && found != PH_E_INVALID)
		return postpone(attempt, "cannot look up accounts now", trouble.detail, error);
	if (trusted)
		return found == 0 ? let_in(attempt, &account, "accepted by policy", login_r, error)
				  : deny(attempt, WRONG, "accepted by policy, but there is no such account",
					    error);
	int right = check_password(attempt, found == 0 ? &account : NULL, &trouble);
	if (right < 0)
		return postpone(attempt, "cannot check passwords now", trouble.detail, error);
	if (right == 0)
		return deny(attempt, WRONG, found == 0 ? "wrong password" : "no such account", error);
	return let_in(attempt, &account, "", login_r, error);
}

/* The text of a verdict, or another when it has none. */
static const char *words(const struct ph_verdict *verdict, struct ph_pool *pool, const char *otherwise)
{
	return verdict->text.len ? ph_pool_str(pool, verdict->text).data : otherwise;
}

/* The account an `accept` names. */
static struct ph_str accepted_user(const struct ph_verdict *verdict, const struct attempt *attempt)
{
	const struct ph_verdict_field *user = ph_verdict_field(verdict, "user");
	return user && user->count == 1 ? user->values[0] : attempt->user;
}

/* May park: asks the policies, then decides. */
static int verify(struct attempt *attempt, struct ph_login *login_r, struct ph_error *error)
{
	struct ph_verdict verdict = { .kind = PH_PASS };
	if (ph_hook_wanted(&auth_verify_hook))
		ph_hook_run(&auth_verify_hook, attempt->conn,
			&PH_VALUE_OBJECT(&auth_credentials_type, attempt), attempt->pool, &verdict);
	switch (verdict.kind) {
	case PH_ACCEPT:
		return decide(attempt, accepted_user(&verdict, attempt), true, login_r, error);
	case PH_REWRITE:
		return decide(attempt, whole_name(attempt->pool, verdict.value), false, login_r, error);
	case PH_REJECT:
		return deny(attempt, words(&verdict, attempt->pool, WRONG), "rejected by policy", error);
	case PH_DEFER:
		return postpone(attempt, words(&verdict, attempt->pool, "try again later"),
			"deferred by policy", error);
	case PH_DISCONNECT:
		deny(attempt, WRONG, "disconnected by policy", NULL);
		return ph_error_set(
			error, PH_E_LIMIT, words(&verdict, attempt->pool, WRONG), "disconnected by policy");
	default:
		return decide(attempt, attempt->user, false, login_r, error);
	}
}

/* May park. The pool of the attempt may be small: a name or password that did not fit shows as empty. */
static int run_attempt(struct ph_conn *conn, const char *mechanism, const struct sasl_answer *answer,
	struct ph_pool *pool, struct ph_login *login_r, struct ph_error *error)
{
	struct attempt attempt = {
		.conn = conn,
		.mechanism = mechanism,
		.user = whole_name(pool, answer->user),
		.authorize = answer->authorize,
		.password = answer->password,
		.pool = pool,
	};
	if (!attempt.user.data)
		return ph_error_set(
			error, PH_E_UNAVAILABLE, "out of memory", "the pool of a login is exhausted");
	return verify(&attempt, login_r, error);
}

/* --- The service --- */

static const char *offered(const struct ph_conn *conn)
{
	return ph_conn_may_login(conn) ? sasl_mechanisms() : "";
}

static int authenticate(struct ph_conn *conn, struct ph_str name, struct ph_str initial,
	const struct ph_sasl_carrier *carrier, struct ph_pool *pool, struct ph_login *login_r,
	struct ph_error *error)
{
	const struct sasl_mechanism *mechanism = sasl_mechanism(name);
	struct sasl_answer answer = { 0 };
	if (!ph_conn_may_login(conn))
		return ph_error_set(error, PH_E_UNSUPPORTED, "encryption is required to log in", NULL);
	if (!mechanism)
		return ph_error_set(error, PH_E_UNSUPPORTED, "no such authentication mechanism", NULL);
	int code = mechanism->exchange(initial, carrier, &answer, error);
	if (code == 0)
		code = run_attempt(conn, mechanism->name, &answer, pool, login_r, error);
	ph_wipe(&answer, sizeof(answer));
	return code;
}

static int password(struct ph_conn *conn, struct ph_str user, struct ph_str secret, struct ph_pool *pool,
	struct ph_login *login_r, struct ph_error *error)
{
	const struct sasl_answer answer = { .user = user, .password = secret };
	if (!ph_conn_may_login(conn))
		return ph_error_set(error, PH_E_UNSUPPORTED, "encryption is required to log in", NULL);
	if (user.len > SASL_USER_MAX || secret.len > SASL_PASSWORD_MAX || ph_str_find(user, '\0') >= 0 ||
		ph_str_find(secret, '\0') >= 0)
		return ph_error_set(error, PH_E_INVALID, "malformed user or password", NULL);
	return run_attempt(conn, "PASSWORD", &answer, pool, login_r, error);
}

const struct ph_auth_service auth_service = {
	.mechanisms = offered,
	.authenticate = authenticate,
	.password = password,
};

void login_init(void)
{
	store = ph_service(PH_STORE_SERVICE);
	const char *help = "Logins, by what became of them.";
	succeeded = ph_metric_counter("posthorn_logins_total", "result=\"succeeded\"", help);
	failed = ph_metric_counter("posthorn_logins_total", "result=\"failed\"", help);
	undecided = ph_metric_counter("posthorn_logins_total", "result=\"postponed\"", help);
}
