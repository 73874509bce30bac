/* For tests of the Lua host: a hook point and an object type to try policies with, a state made from a
 * script's text, and what was logged meanwhile. */
#ifndef LUA_HOST_RUN_H
#define LUA_HOST_RUN_H

#include <stdbool.h>

#include <posthorn/hook.h>

#include "../../core/lua_host.h"

extern struct ph_hook_point decide_hook; /* "test.decide": a word and a thing; allows all but discard */
extern struct ph_hook_point told_hook;   /* "test.told": a word; does not decide */
extern struct policy_config test_policy;

/* In a new folder: points added, log captured. And the end of it. */
void host_setup(void);
void host_teardown(void);
/* Writes a file into the folder. */
void host_write(const char *name, const char *text);
/* Opens the state with these scripts of the folder, ended by NULL; fails the test when they do not load. */
void host_open(const char *script, ...) __attribute__((sentinel));
/* The same with one script of that text, demo.lua. PH_E_INVALID, and *error, when it does not load. */
int host_try(const char *text, struct ph_error *error);
/* demo.lua with `text` as the body of a handler of test.decide(session, word, thing). */
void host_open_handler(const char *text);
/* Asks test.decide. The verdict's texts are valid until the next question. */
struct ph_verdict host_ask(const char *word);
/* Asks test.decide from `count` fibers at once, and waits for them all. Returns how many were accepted. */
unsigned host_ask_many(unsigned count);
/* What was logged since the last call. */
const char *host_logged(void);

#endif
