/* The event loop of a process: timers, file descriptors, and work from other threads. Only core/loop.c
 * knows which library does it.
 *
 * The rule for handles: zeroed memory is an unused handle; start makes it used; stop makes it unused again
 * at once and its function will not be called any more. Stopping an unused handle does nothing. */
#ifndef POSTHORN_LOOP_H
#define POSTHORN_LOOP_H

#include <stdalign.h>
#include <stdbool.h>

#include <posthorn/fiber.h>

/* Monotonic milliseconds; ph_now() is cheap and as old as this turn of the loop. */
ph_msec ph_now(void);
/* Seconds since 1970, and the same in milliseconds. */
int64_t ph_clock(void);
int64_t ph_clock_msec(void);

struct ph_timer {
	alignas(8) char opaque[64];
	void (*run)(void *arg);
	void *arg;
};

/* Calls run(arg) once, from the loop, after so many milliseconds. Starting a running timer moves it. */
void ph_timer_start(struct ph_timer *timer, ph_msec after, void (*run)(void *arg), void *arg);
void ph_timer_stop(struct ph_timer *timer);
bool ph_timer_active(const struct ph_timer *timer);

enum { PH_READABLE = 1, PH_WRITABLE = 2 };

struct ph_io {
	alignas(8) char opaque[64];
	void (*run)(void *arg, int events);
	void *arg;
};

/* Calls run(arg, events) from the loop whenever the descriptor is ready, until stopped. Starting a started
 * one changes what it waits for. Stop it before the descriptor is closed. */
void ph_io_start(struct ph_io *io, int fd, int events, void (*run)(void *arg, int events), void *arg);
void ph_io_stop(struct ph_io *io);
/* May park: until the descriptor is ready (returns the events), or PH_E_TIMEOUT. */
int ph_io_wait(int fd, int events, ph_msec deadline);

struct ph_child {
	alignas(8) char opaque[80];
	void (*run)(void *arg, int status);
	void *arg;
};

/* Calls run(arg, status) once, when the child process ended; status as of waitpid(2). */
void ph_child_start(struct ph_child *child, int pid, void (*run)(void *arg, int status), void *arg);
void ph_child_stop(struct ph_child *child);

struct ph_on_signal {
	alignas(8) char opaque[64];
	void (*run)(void *arg);
	void *arg;
};

/* Calls run(arg) from the loop for each (run of the same) Unix signal. */
void ph_on_signal_start(struct ph_on_signal *handle, int signal_number, void (*run)(void *arg), void *arg);
void ph_on_signal_stop(struct ph_on_signal *handle);

/* Calls run(arg) once, soon, from the loop. */
void ph_loop_post(void (*run)(void *arg), void *arg);
/* The same from any thread of the process. */
void ph_loop_post_from_thread(void (*run)(void *arg), void *arg);

/* Once in each process, after fork; and the end of it, which frees all that the loop holds. */
void ph_loop_init(void);
void ph_loop_run(void);
/* Makes ph_loop_run() return after this turn. */
void ph_loop_break(void);
void ph_loop_free(void);

#endif
