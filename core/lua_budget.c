/* Budgets of hook calls: instructions, processor time between two waits, time in all, memory.
 *
 * Lua calls count() every so many instructions. Once a call is over its budget, each further count raises the
 * error again, from then on at every instruction, and pcall and its like pass it on (lua_std.c): no script
 * can swallow it. Coroutines inherit the hook from the thread that makes them.
 *
 * Memory is counted by the allocator, for the state as a whole and for the running call: what it took less
 * what was given back meanwhile. As the collector may give back one call's garbage during another call, this
 * sum can be wrong to a call's disadvantage; so it is never taken for more than all that was added since the
 * scripts were loaded. When the allocator refuses, Lua collects all garbage and asks once more before it
 * gives up. */
#include <config.h>

#include "lua_private.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lauxlib.h>

#include <posthorn/loop.h>
#include <posthorn/lua.h>

#include "lua_host.h"

enum { COUNT_EVERY = 1000, MOST_REFUSALS = 4 };

/* How much of its fiber's 256 KB of stack a call may take: the rest is for the protocol above it. */
enum { STACK_SIZE = 200 << 10 };

static struct {
	int64_t used;
	int64_t loaded; /* used when the scripts were loaded */
	int64_t ceiling;
	int64_t call_ceiling;
	bool refused;          /* the last request: the next one is Lua's second try */
	bool exhausted;        /* not even a collection made room below the ceiling */
	int64_t collected;     /* used after the last collection for lack of room ... */
	int64_t collect_after; /* ... and when the next may be made, in nanoseconds */
} memory;

/* These texts are short enough for Lua to keep a single copy of each, so that raising one takes no memory. */
static const char too_much_together[] = "the policies use too much memory";

static struct lua_call *outside_fibers;

/* --- The running call --- */

struct lua_call *lua_call_current(void)
{
	return ph_fiber_self() ? ph_fiber_slot_get(PH_FIBER_LUA) : outside_fibers;
}

static void set_current(struct lua_call *call)
{
	if (ph_fiber_self())
		ph_fiber_slot_set(PH_FIBER_LUA, call);
	else
		outside_fibers = call;
}

static int64_t nanoseconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void begin_burst(struct lua_call *call)
{
	call->burst_start = nanoseconds(CLOCK_MONOTONIC);
	call->burst_cpu = 0;
}

void lua_call_begin(struct lua_call *call, int64_t instructions, ph_msec burst, ph_msec timeout)
{
	struct lua_call *outer = lua_call_current();
	*call = (struct lua_call){
		.outer = outer,
		.instructions = instructions,
		.burst = burst,
		.deadline = ph_fiber_self() ? ph_now() + timeout : PH_FOREVER,
		.stack = outer ? outer->stack : __builtin_frame_address(0),
	};
	ph_list_init(&call->objects);
	begin_burst(call);
	set_current(call);
}

void lua_call_end(struct lua_call *call)
{
	lua_object_end_all(&call->objects);
	set_current(call->outer);
}

bool lua_stack_has(const struct lua_call *call, size_t need)
{
	ptrdiff_t used = call->stack - (const char *)__builtin_frame_address(0);
	return used + (ptrdiff_t)need <= STACK_SIZE;
}

void lua_stack_check(lua_State *L, size_t need)
{
	const struct lua_call *call = lua_call_current();
	if (call && !lua_stack_has(call, need))
		luaL_error(L, "C stack overflow");
}

/* --- Time and instructions --- */

/* The wall clock is cheap to read but runs on while the processor does other things. So it only tells when to
 * look at the processor's own: half of the burst is measured by the one, half by the other. */
static bool burst_is_over(struct lua_call *call)
{
	int64_t half = call->burst * 500000;
	if (call->burst_cpu == 0) {
		if (nanoseconds(CLOCK_MONOTONIC) - call->burst_start > half)
			call->burst_cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
		return false;
	}
	return nanoseconds(CLOCK_THREAD_CPUTIME_ID) - call->burst_cpu > half;
}

void lua_budget_check(lua_State *L)
{
	struct lua_call *call = lua_call_current();
	if (!call)
		return;
	if (!call->over) {
		if (memory.exhausted)
			call->over = too_much_together;
		else if (call->instructions < 0)
			call->over = "the policy used up its instructions";
		else if (burst_is_over(call))
			call->over = "the policy used up its processor time";
		else
			return;
	}
	lua_budget_watch(L);
	lua_pushstring(L, call->over);
	lua_error(L);
}

void lua_budget_charge(lua_State *L, uint64_t instructions)
{
	struct lua_call *call = lua_call_current();
	if (!call)
		return;
	if (instructions > (uint64_t)(call->instructions > 0 ? call->instructions : 0))
		call->instructions = -1;
	else
		call->instructions -= (int64_t)instructions;
	lua_budget_check(L);
}

static void count(lua_State *L, lua_Debug *unused)
{
	(void)unused;
	struct lua_call *call = lua_call_current();
	int step = lua_gethookcount(L);
	if (call)
		call->instructions -= step;
	if (step != COUNT_EVERY && !(call && call->over))
		lua_budget_watch(L); /* a coroutine which outlived the call that was over */
	lua_budget_check(L);
}

void lua_budget_watch(lua_State *L)
{
	struct lua_call *call = lua_call_current();
	lua_sethook(L, count, LUA_MASKCOUNT, call && call->over ? 1 : COUNT_EVERY);
}

void lua_budget_waited(lua_State *L)
{
	struct lua_call *call = lua_call_current();
	if (!call)
		return;
	begin_burst(call);
	if (!call->over && ph_now() >= call->deadline)
		call->over = "the policy took too long";
	lua_budget_check(L);
}

/* --- Memory --- */

void lua_memory_init(const struct policy_config *config)
{
	memset(&memory, 0, sizeof(memory));
	memory.ceiling = config->memory;
	memory.call_ceiling = INT64_MAX;
}

void lua_memory_loaded(void)
{
	memory.loaded = memory.used;
	memory.call_ceiling = lua_host_config()->call_memory;
}

bool lua_memory_exhausted(void)
{
	return memory.exhausted;
}

/* Close to the ceiling, every other allocation would become a full collection. So new calls are turned away
 * while there is still room for those under way; when there is none left even so, these end as well, at the
 * next look at their budget. Collecting takes at most a tenth of the time then. */
bool lua_memory_has_room(lua_State *L)
{
	int64_t room = memory.ceiling - memory.loaded, most = memory.loaded + room / 2;
	if (memory.used <= most && !memory.exhausted)
		return true;
	bool has_grown = memory.used - memory.collected >= room / 8;
	int64_t begin = nanoseconds(CLOCK_MONOTONIC);
	if (begin < memory.collect_after && (memory.exhausted || !has_grown))
		return false;
	lua_gc(L, LUA_GCCOLLECT);
	int64_t end = nanoseconds(CLOCK_MONOTONIC);
	memory.collect_after = end + 10 * (end - begin);
	memory.collected = memory.used;
	memory.exhausted = memory.exhausted && memory.used > most;
	return memory.used <= most;
}

static bool fits(int64_t size, int64_t held, int64_t ceiling)
{
	if (memory.refused)
		ceiling -= ceiling / 8;
	return size <= ceiling - held;
}

/* The request was refused after a collection, too. */
static void note_refusal(struct lua_call *call, bool by_state)
{
	if (by_state)
		memory.exhausted = true;
	if (call && !call->over && (by_state || ++call->refusals == MOST_REFUSALS))
		call->over = by_state ? too_much_together : "the policy used up its memory";
}

static bool may_grow(struct lua_call *call, int64_t size)
{
	int64_t since_loaded = memory.used - memory.loaded;
	bool in_state = fits(size, memory.used, memory.ceiling), in_call = true;
	if (call && !call->over)
		in_call = fits(
			size, call->memory < since_loaded ? call->memory : since_loaded, memory.call_ceiling);
	bool refuse = !in_state || !in_call;
	if (refuse && memory.refused)
		note_refusal(call, !in_state);
	memory.refused = refuse && !memory.refused;
	return !refuse;
}

void *lua_memory_allocate(void *unused, void *block, size_t old_size, size_t size)
{
	(void)unused;
	struct lua_call *call = lua_call_current();
	size_t had = block ? old_size : 0; /* without a block, Lua tells what kind of thing it will be */
	if (size > had && (size > INT64_MAX || !may_grow(call, (int64_t)(size - had))))
		return NULL;
	void *result = NULL;
	if (size == 0)
		free(block);
	else if (!(result = realloc(block, size)))
		return size <= had ? block : NULL;
	int64_t change = (int64_t)size - (int64_t)had;
	memory.used += change;
	if (call)
		call->memory = call->memory + change > 0 ? call->memory + change : 0;
	return result;
}
