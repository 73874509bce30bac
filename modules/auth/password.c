/* Hashing on another thread. libcrypt's work area is large and full of secrets: it lives on the heap for the
 * time of one hash and is wiped. */
#include <config.h>

#include "password.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/mem.h>
#include <posthorn/offload.h>

_Static_assert(PASSWORD_HASH_SIZE >= CRYPT_OUTPUT_SIZE, "room for what crypt gives");

struct job {
	const char *password;
	const char *setting; /* a hash, or the salt of one */
	char hash[PASSWORD_HASH_SIZE];
};

static void run(void *arg)
{
	struct job *job = arg;
	struct crypt_data *data = ph_alloc(sizeof(*data));
	const char *hash = crypt_rn(job->password, job->setting, data, sizeof(*data));
	size_t len = hash ? strlen(hash) : 0;
	memcpy(job->hash, hash ? hash : "", len);
	job->hash[len] = '\0';
	ph_wipe(data, sizeof(*data));
	free(data);
}

/* May park: the hash of `password` by that setting. */
static int hash_by(struct ph_str password, struct ph_str setting, char hash_r[PASSWORD_HASH_SIZE],
	struct ph_error *error)
{
	struct job job = { .password = ph_str_dup(password), .setting = ph_str_dup(setting) };
	int code = ph_offload(run, &job);
	if (code < 0)
		ph_error_set(error, code, "too busy to check passwords", NULL);
	else if (job.hash[0] == '\0' || job.hash[0] == '*')
		code = ph_error_set(
			error, PH_E_CORRUPT, "the password cannot be checked", "not a hash libcrypt knows");
	else
		memcpy(hash_r, job.hash, sizeof(job.hash));
	ph_wipe((void *)job.password, password.len);
	free((void *)job.password);
	free((void *)job.setting);
	ph_wipe(job.hash, sizeof(job.hash));
	return code;
}

static int make_salt(int cost, char salt_r[CRYPT_GENSALT_OUTPUT_SIZE], struct ph_error *error)
{
	if (!crypt_gensalt_rn("$y$", (unsigned long)cost, NULL, 0, salt_r, CRYPT_GENSALT_OUTPUT_SIZE))
		return ph_error_set(error, PH_E_UNSUPPORTED, "the password cannot be hashed",
			"libcrypt makes no yescrypt salt of cost %d", cost);
	return 0;
}

int password_hash(struct ph_str password, int cost, char hash_r[PASSWORD_HASH_SIZE], struct ph_error *error)
{
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	int code = make_salt(cost, salt, error);
	return code < 0 ? code : hash_by(password, ph_str(salt), hash_r, error);
}

int password_check(struct ph_str password, struct ph_str hash, struct ph_error *error)
{
	char made[PASSWORD_HASH_SIZE];
	int code = hash_by(password, hash, made, error);
	if (code == 0)
		code = ph_str_eq_secret(ph_str(made), hash);
	ph_wipe(made, sizeof(made));
	return code;
}

int password_check_nobody(struct ph_str password, int cost, struct ph_error *error)
{
	char made[PASSWORD_HASH_SIZE];
	return password_hash(password, cost, made, error);
}
