/* Logins: the service itself, its hook point and its options. */
#ifndef AUTH_LOGIN_H
#define AUTH_LOGIN_H

#include <posthorn/auth.h>
#include <posthorn/conf.h>
#include <posthorn/hook.h>

struct auth_config {
	int64_t cost;
	int64_t min_password;
	int64_t max_failures;
	ph_msec failure_delay;
	ph_msec max_delay;
	ph_msec remember;
	const char *default_domain;
};

extern struct auth_config auth_config;
extern const struct ph_option auth_options[];
extern const struct ph_auth_service auth_service;
extern struct ph_hook_point auth_verify_hook;
extern const struct ph_object_type auth_credentials_type;

/* In the module's init: looks up the store, registers metrics. */
void login_init(void);

#endif
