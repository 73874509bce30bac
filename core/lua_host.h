/* The worker's one Lua state: what the configuration says about it, opening and closing it. */
#ifndef CORE_LUA_HOST_H
#define CORE_LUA_HOST_H

#include <stdint.h>

#include <posthorn/conf.h>
#include <posthorn/error.h>

/* The table `policy` of the configuration. */
struct policy_config {
	struct ph_text_list scripts; /* files, run in this order */
	const char *library;         /* where `require "posthorn"` is found; "": where it was installed */
	int64_t memory;              /* bytes of the whole state */
	int64_t call_memory;         /* bytes that one hook call may add to it */
	int64_t instructions;        /* of one hook call */
	ph_msec timeout;             /* of one hook call, waits included */
	ph_msec burst;               /* processor time of one hook call between two waits */
};

extern const struct ph_option policy_options[];

/* Creates the state, runs the scripts and subscribes their handlers. All hook points must be known by now and
 * all libraries offered. On failure nothing is left behind. `config` must outlive the state;
 * `script_directory` is where the library lies unless the configuration says otherwise. Does not need a
 * running loop. */
int lua_host_open(const struct policy_config *config, const char *script_directory, struct ph_error *error);
/* Frees it all. No hook call may be running any more. */
void lua_host_close(void);
/* The files that the scripts consist of (with what they require), to be watched for changes; valid until
 * the state is closed. */
struct ph_text_list lua_host_files(void);
/* Takes back the libraries that the owner (see hook_set_owner()) offered; the next state is made without
 * them. */
void lua_host_withdraw(const char *owner);

#endif
