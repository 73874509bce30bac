/* Handlers in Lua: running one as a subscriber of its hook point.
 *
 * Each call runs on a Lua thread of its own, by lua_pcall and never by lua_resume: what waits parks the
 * fiber. The thread is anchored in the registry while it is in use, and kept for the next call afterwards.
 *
 * Whatever can run out of memory or throw happens under lua_pcall, in functions that hold nothing: an error
 * may leave them at any point. */
#include <config.h>

#include "lua_private.h"

#include <stdlib.h>

#include <lauxlib.h>

#include <posthorn/log.h>
#include <posthorn/loop.h>
#include <posthorn/lua.h>
#include <posthorn/mem.h>

#include "hook_private.h"
#include "lua_host.h"
#include "lua_verdict.h"
#include "verdict_private.h"

/* How many idle threads are kept, and how much a call may have taken for its thread to be among them. */
enum { MOST_IDLE = 256, LIGHT_CALL = 64 << 10 };

struct handler {
	struct handler *next;
	struct ph_hook_point *point;
	int reference; /* of the function */
	ph_msec timeout;
	char where[96]; /* "demo.lua:12", where the function begins */
};

struct thread {
	lua_State *L;
	int reference;
};

/* One call of a handler, as its function in Lua's world gets it. */
struct invocation {
	const struct handler *handler;
	struct ph_conn *session;
	const struct ph_value *arguments;
	struct ph_pool *pool;
	struct ph_verdict *verdict_r;
	struct ph_error *error;
};

static struct handler *handlers;
static struct thread idle[MOST_IDLE];
static unsigned idle_count;
static unsigned running;

unsigned lua_hook_running(void)
{
	return running;
}

/* --- Threads --- */

static int make_thread(lua_State *L)
{
	struct thread *thread = lua_touserdata(L, 1);
	thread->L = lua_newthread(L);
	thread->reference = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

static bool take_thread(struct thread *thread_r)
{
	if (idle_count > 0) {
		*thread_r = idle[--idle_count];
		return true;
	}
	lua_State *L = lua_host_main();
	lua_pushcfunction(L, make_thread);
	lua_pushlightuserdata(L, thread_r);
	bool made = lua_pcall(L, 1, 0, 0) == LUA_OK;
	lua_settop(L, 0);
	return made;
}

/* The unused part of a thread's stack still points to what was there last, and comes to life again as unset
 * registers of the next call. So a thread is not used again where that may be much. */
static void give_back_thread(struct thread thread, bool keep)
{
	lua_settop(thread.L, 0);
	if (keep && idle_count < MOST_IDLE)
		idle[idle_count++] = thread;
	else
		luaL_unref(lua_host_main(), LUA_REGISTRYINDEX, thread.reference);
}

/* --- Failures --- */

/* The first place in a script (rather than in the library) that is running. */
static void note_where(lua_State *L, struct lua_failure *failure)
{
	lua_Debug place;
	for (int level = 0; lua_getstack(L, level, &place); level++) {
		lua_getinfo(L, "Sl", &place);
		if (place.currentline <= 0 || strncmp(place.source, "@posthorn/", 10) == 0)
			continue;
		snprintf(failure->where, sizeof(failure->where), "%s:%d", place.short_src, place.currentline);
		return;
	}
}

/* Copies text as one line: what a line ends with and what follows as indent becomes "; ". */
static void copy_line(char *line, size_t size, const char *text)
{
	size_t len = 0;
	for (; *text && len + 3 < size; text++) {
		if (*text == '\n') {
			if (len > 0 && line[len - 1] != ':')
				line[len++] = ';';
			line[len++] = ' ';
			text += strspn(text + 1, "\t ");
		} else if ((unsigned char)*text < ' ') {
			line[len++] = ' ';
		} else {
			line[len++] = *text;
		}
	}
	line[len] = '\0';
}

static int describe_error(lua_State *L)
{
	luaL_tolstring(L, 1, NULL);
	return 1;
}

/* An error may be anything, and its __tostring may fail in turn. */
static void note_text(lua_State *L, const struct lua_call *call)
{
	const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : NULL;
	lua_pushcfunction(L, describe_error);
	lua_pushvalue(L, 1);
	if (!text && !call->over && lua_pcall(L, 1, 1, 0) == LUA_OK)
		text = lua_tostring(L, -1);
	copy_line(call->failure->text, sizeof(call->failure->text),
		text ? text : "(an error that cannot be shown)");
}

int lua_hook_note_failure(lua_State *L)
{
	const struct lua_call *call = lua_call_current();
	lua_settop(L, 1);
	if (!call || !call->failure || call->failure->noted)
		return 1;
	call->failure->noted = true;
	note_where(L, call->failure);
	if (lua_memory_exhausted())
		return 1;
	luaL_traceback(L, L, NULL, 1);
	copy_line(call->failure->traceback, sizeof(call->failure->traceback), lua_tostring(L, -1));
	lua_settop(L, 1);
	note_text(L, call);
	lua_settop(L, 1);
	return 1;
}

void lua_hook_complete_failure(const struct lua_call *call, int status)
{
	struct lua_failure *failure = call->failure;
	if (call->over)
		snprintf(failure->text, sizeof(failure->text), "%s", call->over);
	else if (status == LUA_ERRMEM)
		snprintf(failure->text, sizeof(failure->text), "the policy used up its memory");
	else if (!failure->text[0])
		snprintf(failure->text, sizeof(failure->text), "an error in handling an error");
}

static void log_failure(const struct handler *handler, const struct lua_failure *failure)
{
	ph_log(PH_LOG_ERROR, "policy failed", PH_LOG_TEXT("hook", handler->point->name),
		PH_LOG_TEXT("at", failure->where[0] ? failure->where : handler->where),
		PH_LOG_TEXT("error", failure->text), PH_LOG_TEXT("traceback", failure->traceback),
		PH_LOG_TEXT("verdict", ph_verdict_name(handler->point->on_failure.kind)));
}

/* --- Running --- */

static int run_protected(lua_State *L)
{
	const struct invocation *invocation = lua_touserdata(L, 1);
	const struct ph_hook_argument *argument = invocation->handler->point->arguments;
	lua_settop(L, 0);
	lua_rawgeti(L, LUA_REGISTRYINDEX, invocation->handler->reference);
	lua_session_push(L, invocation->session);
	int count = 1;
	for (size_t i = 0; argument && argument[i].name; i++, count++)
		ph_lua_push(L, &invocation->arguments[i]);
	lua_call(L, count, 1);
	if (invocation->handler->point->decides)
		lua_verdict_read(L, 1, invocation->pool, invocation->verdict_r, invocation->error);
	return 0;
}

/* Whether the handler ran to its end and answered sensibly; else `failure` says what happened. */
static bool invoke(struct invocation *invocation, struct lua_call *call, lua_State *L)
{
	struct ph_error error = { 0 };
	invocation->error = &error;
	lua_budget_watch(L);
	lua_pushcfunction(L, lua_hook_note_failure);
	lua_pushcfunction(L, run_protected);
	lua_pushlightuserdata(L, invocation);
	int status = lua_pcall(L, 1, 0, 1);
	if (status != LUA_OK || call->over) {
		lua_hook_complete_failure(call, status);
		return false;
	}
	if (error.code == 0)
		error.code = verdict_check(invocation->handler->point, invocation->verdict_r, &error);
	snprintf(call->failure->text, sizeof(call->failure->text), "%s", error.detail);
	return error.code == 0;
}

/* A call that took much frees what became garbage with it, so that this is not credited to the next. */
static void clean_up_after(const struct lua_call *call, bool done)
{
	if (call->memory < LIGHT_CALL)
		return;
	if (done)
		lua_gc(lua_host_main(), LUA_GCSTEP, (int)(call->memory >> 10));
	else
		lua_gc(lua_host_main(), LUA_GCCOLLECT);
}

static int run_handler(void *arg, struct ph_conn *session, const struct ph_value *arguments,
	struct ph_pool *pool, struct ph_verdict *verdict_r)
{
	const struct handler *handler = arg;
	const struct policy_config *config = lua_host_config();
	struct invocation invocation = { handler, session, arguments, pool, verdict_r, NULL };
	struct lua_failure failure = { .text = "the policy host is out of memory" };
	struct thread thread;
	struct lua_call call;
	lua_call_begin(&call, config->instructions, config->burst, handler->timeout);
	call.failure = &failure;
	running++;
	bool done = false;
	if (!lua_stack_has(&call, STACK_FOR_CALL)) {
		snprintf(failure.text, sizeof(failure.text), "policies call each other too deeply");
	} else if (!lua_memory_has_room(lua_host_main())) {
		snprintf(failure.text, sizeof(failure.text), "the policies use too much memory");
	} else if (take_thread(&thread)) {
		failure.text[0] = '\0';
		done = invoke(&invocation, &call, thread.L);
		give_back_thread(thread, done && call.memory < LIGHT_CALL);
	}
	running--;
	clean_up_after(&call, done);
	lua_call_end(&call);
	if (!done) {
		log_failure(handler, &failure);
		*verdict_r = handler->point->on_failure;
	}
	return 0;
}

/* --- Handlers --- */

void lua_hook_subscribe(lua_State *L, struct ph_hook_point *point, int function, int order, ph_msec timeout)
{
	struct handler place = { .point = point,
		.timeout = timeout > 0 ? timeout : lua_host_config()->timeout };
	lua_Debug info;
	lua_pushvalue(L, function);
	lua_getinfo(L, ">S", &info);
	snprintf(place.where, sizeof(place.where), "%s:%d", info.short_src, info.linedefined);
	lua_pushvalue(L, function);
	place.reference = luaL_ref(L, LUA_REGISTRYINDEX);
	place.next = handlers;
	handlers = ph_alloc(sizeof(*handlers));
	*handlers = place;
	hook_subscribe(point, LUA_HOOK_OWNER, order, run_handler, handlers);
}

void lua_hook_forget_all(void)
{
	hook_remove_owner(LUA_HOOK_OWNER);
	idle_count = 0;
	while (handlers) {
		struct handler *handler = handlers;
		handlers = handler->next;
		free(handler);
	}
}
