/* Password hashes of crypt(5). New ones are yescrypt; checking takes whatever libcrypt knows, so that hashes
 * may be brought along from elsewhere. Hashing costs tens of milliseconds and megabytes by design: it runs on
 * offload threads, whose number bounds how many run at once. */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include <stddef.h>

#include <posthorn/error.h>
#include <posthorn/str.h>

/* Enough for any hash, with its NUL. */
#define PASSWORD_HASH_SIZE 384

/* May park. Hashes with a new salt; `cost` is yescrypt's, 1 to 11. */
int password_hash(struct ph_str password, int cost, char hash_r[PASSWORD_HASH_SIZE], struct ph_error *error);
/* May park. 1: it is the password; 0: it is not; PH_E_LIMIT: too much waits to be hashed already;
 * PH_E_CORRUPT: the hash is not one. */
int password_check(struct ph_str password, struct ph_str hash, struct ph_error *error);
/* May park. Takes the time of a check of a hash made with that cost, and nothing else. */
int password_check_nobody(struct ph_str password, int cost, struct ph_error *error);

#endif
