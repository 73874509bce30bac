/* Fibers: straight-line code that parks where it would block.
 *
 *   park   the fiber stops here, and the worker's loop goes on with others
 *   wake   the loop will continue it, with a result; never inside the caller of wake
 *   wait   one planned wake: taken before the work that leads to it is begun, so that a wake which
 *          comes early is not lost, and one which comes late (its wait is over) is refused
 *
 * All fibers of a worker run on its one thread: between two parks nothing else of the worker runs, and no
 * locks are needed. Stacks are 256 KB of address space behind a guard page, taken from a pool when a fiber
 * starts and given back when it ends. A function that may park says so in its comment. */
#ifndef POSTHORN_FIBER_H
#define POSTHORN_FIBER_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/error.h>
#include <posthorn/list.h>

/* Milliseconds of the monotonic clock, as the loop last read it. */
typedef int64_t ph_msec;
#define PH_FOREVER INT64_MAX

struct ph_fiber;

/* Starts `run(arg)` on a fiber of its own, from the loop, not from inside this call. `name` is for logs and
 * must stay valid. */
void ph_fiber_start(const char *name, void (*run)(void *arg), void *arg);
/* The running fiber, or NULL when the loop itself runs. */
struct ph_fiber *ph_fiber_self(void);
/* How many fibers there are now (running, ready or parked). */
unsigned ph_fiber_count(void);

/* One planned wake. A plain value: copy it to whoever will wake. */
struct ph_wait {
	struct ph_fiber *fiber;
	uint64_t turn;
};

/* Plans a wake of the running fiber; the former plan, if any, becomes stale. */
struct ph_wait ph_wait_begin(void);
/* May park: until ph_wake() or the deadline. Returns the waker's result, or PH_E_TIMEOUT. */
int ph_wait_park(struct ph_wait wait, ph_msec deadline);
/* Ends a wait with `result`. False, and nothing done, when that wait is over already. Not from other
 * threads: they go through ph_loop_post_from_thread(). */
bool ph_wake(struct ph_wait wait, int result);

/* May park: for so many milliseconds. */
void ph_fiber_sleep(ph_msec duration);
/* May park: lets the other ready fibers run first. For long computations. */
void ph_fiber_yield(void);

/* A thing fibers wait for together. Zeroed memory must be initialised first. */
struct ph_signal {
	struct ph_list waiting;
};

void ph_signal_init(struct ph_signal *signal);
/* May park: until the signal is given, or the deadline (PH_E_TIMEOUT). */
int ph_signal_wait(struct ph_signal *signal, ph_msec deadline);
void ph_signal_one(struct ph_signal *signal);
void ph_signal_all(struct ph_signal *signal);

/* Keeps other fibers out of a stretch of code that parks. */
struct ph_lock {
	struct ph_fiber *owner;
	struct ph_signal released;
};

void ph_lock_init(struct ph_lock *lock);
/* May park: 0, or PH_E_TIMEOUT. */
int ph_lock_take(struct ph_lock *lock, ph_msec deadline);
void ph_lock_release(struct ph_lock *lock);

/* A slot of each fiber for the one who needs to know, deep in a call, on whose behalf it runs: the log and
 * the Lua budget. Starts as NULL. */
enum ph_fiber_slot { PH_FIBER_LOG, PH_FIBER_LUA, PH_FIBER_SLOTS };
void *ph_fiber_slot_get(enum ph_fiber_slot slot);
void ph_fiber_slot_set(enum ph_fiber_slot slot, void *value);

#endif
