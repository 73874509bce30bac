/* Inside the Lua host. A glossary:
 *
 *   state     the worker's one Lua universe; everything below lives in it
 *   thread    a Lua coroutine on which one hook call runs; never resumed or yielded by us. What the script
 * waits for parks the fiber underneath, in the middle of a C function, so waiting works everywhere call one
 * run of one handler: its budget and the objects it was shown; lies on the fiber's own stack main      the
 * state's main thread: used only for short things that cannot park, always protected
 *
 * Many calls are under way at once, each on a thread and a fiber of its own, and they change places only
 * where a fiber parks. So nothing that spans a wait may be kept in variables of the host. */
#ifndef CORE_LUA_PRIVATE_H
#define CORE_LUA_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include <posthorn/error.h>
#include <posthorn/fiber.h>
#include <posthorn/hook.h>
#include <posthorn/list.h>
#include <posthorn/str.h>

struct policy_config;

/* --- lua_budget.c: what a call may use --- */

/* What a failed call leaves for the log. */
struct lua_failure {
	bool noted;
	char where[96]; /* "demo.lua:12", or empty */
	char text[512];
	char traceback[1024]; /* one line */
};

struct lua_call {
	struct lua_call *outer;
	struct ph_list objects; /* struct lua_object, over when the call ends */
	int64_t instructions;   /* left */
	int64_t memory;         /* bytes taken less bytes given back, at least 0 */
	int64_t burst_start;    /* nanoseconds, by the wall clock */
	int64_t burst_cpu;      /* nanoseconds of processor time; 0: not looked at yet */
	ph_msec burst;
	ph_msec deadline;
	unsigned refusals; /* of memory */
	const char *over;  /* the budget that ran out, or NULL */
	const char *stack; /* where the outermost call of this fiber began on its stack */
	struct lua_failure *failure;
};

/* Makes `call` the fiber's running one (or the process's, outside fibers). */
void lua_call_begin(struct lua_call *call, int64_t instructions, ph_msec burst, ph_msec timeout);
/* The objects of the call are over. */
void lua_call_end(struct lua_call *call);
struct lua_call *lua_call_current(void);
/* Raises an error unless so many bytes of the fiber's stack are left. For functions with large frames which
 * scripts can nest, beside Lua's own bound of 200 nested calls. */
void lua_stack_check(lua_State *L, size_t need);
enum { STACK_FOR_CALLBACK = 56 << 10, STACK_FOR_PARSER = 136 << 10, STACK_FOR_CALL = 150 << 10 };
bool lua_stack_has(const struct lua_call *call, size_t need);
/* Counts the instructions of all that runs in this thread, and in coroutines made by it. */
void lua_budget_watch(lua_State *L);
/* Raises an error when the running call is out of its budget. */
void lua_budget_check(lua_State *L);
/* Counts work that one C function does as so many instructions, and checks. */
void lua_budget_charge(lua_State *L, uint64_t instructions);
/* After a library function parked: a new burst begins; raises an error when time is up. */
void lua_budget_waited(lua_State *L);
/* The allocator of the state. */
void lua_memory_init(const struct policy_config *config);
void *lua_memory_allocate(void *unused, void *block, size_t old_size, size_t size);
/* What is taken now belongs to no call: the scripts are loaded. */
void lua_memory_loaded(void);
/* Nothing that takes memory may be done any more. */
bool lua_memory_exhausted(void);
/* May another call begin? */
bool lua_memory_has_room(lua_State *L);

/* --- lua_object.c: things of C as seen by scripts --- */

/* Pushes the session object of the connection, making it at first use. */
void lua_session_push(lua_State *L, struct ph_conn *conn);
/* The objects of a call are over. */
void lua_object_end_all(struct ph_list *objects);
/* Forgets all sessions, before the state is closed. */
void lua_session_forget_all(void);

/* --- lua_std.c, lua_string.c: the standard libraries, as far as policies get them --- */

void lua_std_open(lua_State *L);
/* Replaces the pattern functions of the library table at the top of the stack by bounded ones. */
void lua_string_open(lua_State *L);

/* --- lua_hook.c: handlers --- */

/* Registers the function at stack position `function`. */
void lua_hook_subscribe(lua_State *L, struct ph_hook_point *point, int function, int order, ph_msec timeout);
/* Keeps the error, its place and a traceback in the running call's failure; a message handler for
 * lua_pcall(). */
int lua_hook_note_failure(lua_State *L);
/* Gives the failure of a call its text where lua_hook_note_failure() had no chance; `status` is
 * lua_pcall()'s. */
void lua_hook_complete_failure(const struct lua_call *call, int status);
/* Whose the subscriptions of scripts are. */
#define LUA_HOOK_OWNER "policy"
/* Takes back all subscriptions, before the state is closed. */
void lua_hook_forget_all(void);
/* Hook calls under way. */
unsigned lua_hook_running(void);
/* Key in the registry of the metatable that verdicts have. */
extern const char lua_verdict_key;

/* --- lua_library.c: the functions that the library in Lua is built on --- */

/* Pushes the table of them. */
void lua_library_push(lua_State *L);

/* --- lua_host.c --- */

/* While the scripts are loaded: subscribing and requiring are possible. */
bool lua_host_loading(void);
const struct policy_config *lua_host_config(void);
/* The main thread, or NULL when no state is open. */
lua_State *lua_host_main(void);

#endif
