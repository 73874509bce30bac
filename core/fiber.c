/* Fibers: who runs when.
 *
 * A wake only puts the fiber on the ready list, which the loop works off; so a switch always goes between the
 * loop and one fiber. A wait is valid while the fiber's `turn` equals its own: beginning another, being woken
 * and running out of time all change the turn, and numbers are never used twice. So that an old wait can
 * always be looked at, the structs of ended fibers are kept for later fibers and freed only with the loop. */
#include <posthorn/fiber.h>

#include <stdlib.h>

#include <posthorn/loop.h>
#include <posthorn/mem.h>

#include "fiber_private.h"
#include "stack.h"

/* More stacks than this would meet the kernel's usual bound on mappings (65530; each takes two). Fibers
 * beyond it begin when another one ends. */
enum { MOST_STACKS = 25000, KEPT_STACKS = 128 };

struct ph_fiber {
	struct ph_list link; /* ready, waiting for a stack, or unused */
	struct ph_list all;
	const char *name;
	void (*run)(void *arg);
	void *arg;
	struct stack *stack;
	uint64_t turn;  /* of the wait that may be woken; 0 for none */
	uint64_t woken; /* of the wait that was woken last */
	int result;
	bool parked;
	bool ended;
	struct ph_timer timer;
	void *slots[PH_FIBER_SLOTS];
};

static struct ph_fiber *running;
static uint64_t last_turn;
static unsigned fiber_count;
static unsigned stack_count;
static struct stack *kept[KEPT_STACKS];
static unsigned kept_count;
static struct ph_list ready = { &ready, &ready };
static struct ph_list without_stack = { &without_stack, &without_stack };
static struct ph_list unused = { &unused, &unused };
static struct ph_list all = { &all, &all };

static struct ph_fiber *fiber_of(struct ph_list *link)
{
	return ph_container_of(link, struct ph_fiber, link);
}

static void set_ready(struct ph_fiber *fiber)
{
	ph_list_append(&ready, &fiber->link);
}

static struct ph_fiber *fiber_new(void)
{
	struct ph_fiber *fiber;
	if (ph_list_empty(&unused)) {
		fiber = ph_alloc(sizeof(*fiber));
		ph_list_init(&fiber->link);
		ph_list_append(&all, &fiber->all);
		return fiber;
	}
	fiber = fiber_of(unused.next);
	ph_list_remove(&fiber->link);
	return fiber;
}

void ph_fiber_start(const char *name, void (*run)(void *arg), void *arg)
{
	struct ph_fiber *fiber = fiber_new();
	fiber->name = name;
	fiber->run = run;
	fiber->arg = arg;
	fiber_count++;
	set_ready(fiber);
}

struct ph_fiber *ph_fiber_self(void)
{
	return running;
}

unsigned ph_fiber_count(void)
{
	return fiber_count;
}

/* What a stack does: one fiber after the other. */
static void run_fibers(struct stack *stack)
{
	for (;;) {
		running->run(running->arg);
		running->ended = true;
		stack_leave(stack, true);
	}
}

static struct stack *take_stack(void)
{
	if (kept_count > 0)
		return kept[--kept_count];
	struct stack *stack = stack_count < MOST_STACKS ? stack_new(run_fibers) : NULL;
	PH_ASSERT(stack || stack_count > 0);
	if (stack)
		stack_count++;
	return stack;
}

static void give_stack_back(struct stack *stack)
{
	if (kept_count < KEPT_STACKS) {
		kept[kept_count++] = stack;
		return;
	}
	stack_free(stack);
	stack_count--;
}

static void fiber_end(struct ph_fiber *fiber)
{
	give_stack_back(fiber->stack);
	fiber->stack = NULL;
	fiber->turn = 0;
	fiber->ended = false;
	for (int i = 0; i < PH_FIBER_SLOTS; i++)
		fiber->slots[i] = NULL;
	ph_list_append(&unused, &fiber->link);
	fiber_count--;
	if (!ph_list_empty(&without_stack)) {
		struct ph_fiber *next = fiber_of(without_stack.next);
		ph_list_remove(&next->link);
		set_ready(next);
	}
}

static void resume(struct ph_fiber *fiber)
{
	if (!fiber->stack)
		fiber->stack = take_stack();
	if (!fiber->stack) {
		ph_list_append(&without_stack, &fiber->link);
		return;
	}
	running = fiber;
	stack_enter(fiber->stack);
	running = NULL;
	if (fiber->ended)
		fiber_end(fiber);
}

bool fiber_any_ready(void)
{
	return !ph_list_empty(&ready);
}

void fiber_run_ready(void)
{
	if (ph_list_empty(&ready))
		return;
	PH_ASSERT(!running);
	struct ph_list now = ready;
	now.next->prev = now.prev->next = &now;
	ph_list_init(&ready);
	while (!ph_list_empty(&now)) {
		struct ph_fiber *fiber = fiber_of(now.next);
		ph_list_remove(&fiber->link);
		resume(fiber);
	}
}

static void leave(struct ph_fiber *fiber)
{
	fiber->parked = true;
	stack_leave(fiber->stack, false);
	fiber->parked = false;
}

struct ph_wait ph_wait_begin(void)
{
	PH_ASSERT(running);
	running->turn = ++last_turn;
	return (struct ph_wait){ running, last_turn };
}

static void run_out_of_time(void *arg)
{
	struct ph_fiber *fiber = arg;
	fiber->turn = 0;
	fiber->result = PH_E_TIMEOUT;
	set_ready(fiber);
}

int ph_wait_park(struct ph_wait wait, ph_msec deadline)
{
	struct ph_fiber *fiber = wait.fiber;
	PH_ASSERT(fiber && fiber == running);
	if (fiber->woken == wait.turn)
		return fiber->result;
	PH_ASSERT(fiber->turn == wait.turn);
	if (deadline != PH_FOREVER) {
		ph_msec left = deadline - ph_now();
		if (left <= 0) {
			fiber->turn = 0;
			return PH_E_TIMEOUT;
		}
		ph_timer_start(&fiber->timer, left, run_out_of_time, fiber);
	}
	leave(fiber);
	return fiber->result;
}

bool ph_wake(struct ph_wait wait, int result)
{
	struct ph_fiber *fiber = wait.fiber;
	if (!fiber || wait.turn == 0 || fiber->turn != wait.turn)
		return false;
	fiber->turn = 0;
	fiber->woken = wait.turn;
	fiber->result = result;
	if (fiber->parked) {
		ph_timer_stop(&fiber->timer);
		set_ready(fiber);
	}
	return true;
}

void ph_fiber_sleep(ph_msec duration)
{
	ph_wait_park(ph_wait_begin(), ph_now() + duration);
}

void ph_fiber_yield(void)
{
	struct ph_wait wait = ph_wait_begin();
	wait.fiber->turn = 0;
	set_ready(wait.fiber);
	leave(wait.fiber);
}

struct waiter {
	struct ph_list link;
	struct ph_wait wait;
};

void ph_signal_init(struct ph_signal *signal)
{
	ph_list_init(&signal->waiting);
}

int ph_signal_wait(struct ph_signal *signal, ph_msec deadline)
{
	struct waiter waiter = { .wait = ph_wait_begin() };
	ph_list_append(&signal->waiting, &waiter.link);
	int result = ph_wait_park(waiter.wait, deadline);
	ph_list_remove(&waiter.link);
	return result;
}

/* Wakes the fiber that waits longest and returns it. */
static struct ph_fiber *wake_first(struct ph_signal *signal)
{
	while (!ph_list_empty(&signal->waiting)) {
		struct waiter *waiter = ph_container_of(signal->waiting.next, struct waiter, link);
		ph_list_remove(&waiter->link);
		if (ph_wake(waiter->wait, PH_OK))
			return waiter->wait.fiber;
	}
	return NULL;
}

void ph_signal_one(struct ph_signal *signal)
{
	wake_first(signal);
}

void ph_signal_all(struct ph_signal *signal)
{
	while (wake_first(signal))
		;
}

void ph_lock_init(struct ph_lock *lock)
{
	lock->owner = NULL;
	ph_signal_init(&lock->released);
}

int ph_lock_take(struct ph_lock *lock, ph_msec deadline)
{
	PH_ASSERT(running && lock->owner != running);
	if (lock->owner)
		return ph_signal_wait(&lock->released, deadline);
	lock->owner = running;
	return PH_OK;
}

/* The lock goes straight to the fiber that waits longest, so that nobody can slip in before it runs. */
void ph_lock_release(struct ph_lock *lock)
{
	PH_ASSERT(running && lock->owner == running);
	lock->owner = wake_first(&lock->released);
}

void *ph_fiber_slot_get(enum ph_fiber_slot slot)
{
	return running ? running->slots[slot] : NULL;
}

void ph_fiber_slot_set(enum ph_fiber_slot slot, void *value)
{
	if (running)
		running->slots[slot] = value;
}

void fiber_free_all(void)
{
	PH_ASSERT(!running);
	PH_LIST_EACH (&all, link) {
		struct ph_fiber *fiber = ph_container_of(link, struct ph_fiber, all);
		if (fiber->stack)
			stack_free(fiber->stack);
		ph_list_remove(link);
		free(fiber);
	}
	while (kept_count > 0)
		stack_free(kept[--kept_count]);
	stack_count = fiber_count = 0;
	ph_list_init(&ready);
	ph_list_init(&without_stack);
	ph_list_init(&unused);
}
