/* The event loop, on libev.
 *
 * One turn: run the fibers that are ready, wait for events (not at all when fibers are ready again), run what
 * events and posts lead to. The public handles hold libev's watchers in their opaque bytes. */
#include <config.h>

#include <posthorn/loop.h>

#include <ev.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include <posthorn/list.h>
#include <posthorn/mem.h>

#include "fiber_private.h"
#include "offload_private.h"

struct signal_handle {
	ev_signal watcher;
	struct ph_list link;
};

_Static_assert(sizeof(ev_timer) <= sizeof(((struct ph_timer *)0)->opaque), "room for a timer");
_Static_assert(sizeof(ev_io) <= sizeof(((struct ph_io *)0)->opaque), "room for a descriptor's watcher");
_Static_assert(sizeof(ev_child) <= sizeof(((struct ph_child *)0)->opaque), "room for a child's watcher");
_Static_assert(
	sizeof(struct signal_handle) <= sizeof(((struct ph_on_signal *)0)->opaque), "room for a signal's");

struct post {
	struct post *next;
	void (*run)(void *arg);
	void *arg;
};

struct post_queue {
	struct post *first;
	struct post **end;
};

/* How often the ready fibers may run before the descriptors are looked at again. */
enum { FIBER_ROUNDS = 8 };

static struct ev_loop *loop;
static ev_check after_wait;
static bool breaking;
static ph_msec now;
static struct post_queue posts = { NULL, &posts.first };
static struct ph_list signal_handles = { &signal_handles, &signal_handles };

static ev_async thread_posted;
static pthread_mutex_t thread_posts_lock = PTHREAD_MUTEX_INITIALIZER;
static struct post_queue thread_posts = { NULL, &thread_posts.first };

static ph_msec read_clock(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return (ph_msec)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

ph_msec ph_now(void)
{
	return loop ? now : read_clock(CLOCK_MONOTONIC);
}

int64_t ph_clock(void)
{
	return ph_clock_msec() / 1000;
}

int64_t ph_clock_msec(void)
{
	return read_clock(CLOCK_REALTIME);
}

/* --- Timers --- */

static ev_timer *timer_watcher(struct ph_timer *timer)
{
	return (ev_timer *)(void *)timer->opaque;
}

static void on_timer(struct ev_loop *l, ev_timer *watcher, int events)
{
	(void)l, (void)events;
	struct ph_timer *timer = ph_container_of(watcher, struct ph_timer, opaque);
	timer->run(timer->arg);
}

void ph_timer_start(struct ph_timer *timer, ph_msec after, void (*run)(void *arg), void *arg)
{
	ev_timer *watcher = timer_watcher(timer);
	ev_timer_stop(loop, watcher);
	ev_timer_init(watcher, on_timer, (double)(after > 0 ? after : 0) / 1000, 0);
	timer->run = run;
	timer->arg = arg;
	ev_timer_start(loop, watcher);
}

void ph_timer_stop(struct ph_timer *timer)
{
	if (ph_timer_active(timer))
		ev_timer_stop(loop, timer_watcher(timer));
}

bool ph_timer_active(const struct ph_timer *timer)
{
	const ev_timer *watcher = (const ev_timer *)(const void *)timer->opaque;
	return ev_is_active(watcher) || ev_is_pending(watcher);
}

/* --- Descriptors --- */

static ev_io *io_watcher(struct ph_io *io)
{
	return (ev_io *)(void *)io->opaque;
}

static void on_io(struct ev_loop *l, ev_io *watcher, int events)
{
	(void)l;
	struct ph_io *io = ph_container_of(watcher, struct ph_io, opaque);
	int ready = (events & EV_READ ? PH_READABLE : 0) | (events & EV_WRITE ? PH_WRITABLE : 0);
	io->run(io->arg, ready ? ready : PH_READABLE | PH_WRITABLE);
}

void ph_io_start(struct ph_io *io, int fd, int events, void (*run)(void *arg, int events), void *arg)
{
	ev_io *watcher = io_watcher(io);
	int wanted = (events & PH_READABLE ? EV_READ : 0) | (events & PH_WRITABLE ? EV_WRITE : 0);
	ev_io_stop(loop, watcher);
	ev_io_init(watcher, on_io, fd, wanted);
	io->run = run;
	io->arg = arg;
	ev_io_start(loop, watcher);
}

void ph_io_stop(struct ph_io *io)
{
	ev_io *watcher = io_watcher(io);
	if (ev_is_active(watcher) || ev_is_pending(watcher))
		ev_io_stop(loop, watcher);
}

struct io_wait {
	struct ph_io io;
	struct ph_wait wait;
};

static void wake_io_wait(void *arg, int events)
{
	struct io_wait *waiting = arg;
	ph_wake(waiting->wait, events);
}

int ph_io_wait(int fd, int events, ph_msec deadline)
{
	struct io_wait waiting = { .wait = ph_wait_begin() };
	ph_io_start(&waiting.io, fd, events, wake_io_wait, &waiting);
	int result = ph_wait_park(waiting.wait, deadline);
	ph_io_stop(&waiting.io);
	return result;
}

/* --- Children --- */

static ev_child *child_watcher(struct ph_child *child)
{
	return (ev_child *)(void *)child->opaque;
}

static void on_child(struct ev_loop *l, ev_child *watcher, int events)
{
	(void)l, (void)events;
	struct ph_child *child = ph_container_of(watcher, struct ph_child, opaque);
	int status = watcher->rstatus;
	ph_child_stop(child);
	child->run(child->arg, status);
}

void ph_child_start(struct ph_child *child, int pid, void (*run)(void *arg, int status), void *arg)
{
	ph_child_stop(child);
	ev_child *watcher = child_watcher(child);
	ev_child_init(watcher, on_child, pid, 0);
	child->run = run;
	child->arg = arg;
	ev_child_start(loop, watcher);
}

void ph_child_stop(struct ph_child *child)
{
	ev_child *watcher = child_watcher(child);
	if (ev_is_active(watcher) || ev_is_pending(watcher))
		ev_child_stop(loop, watcher);
}

/* --- Unix signals --- */

static struct signal_handle *signal_handle(struct ph_on_signal *handle)
{
	return (struct signal_handle *)(void *)handle->opaque;
}

static void on_signal(struct ev_loop *l, ev_signal *watcher, int events)
{
	(void)l, (void)events;
	struct ph_on_signal *handle = ph_container_of(watcher, struct ph_on_signal, opaque);
	handle->run(handle->arg);
}

void ph_on_signal_start(struct ph_on_signal *handle, int signal_number, void (*run)(void *arg), void *arg)
{
	ph_on_signal_stop(handle);
	struct signal_handle *inner = signal_handle(handle);
	ev_signal_init(&inner->watcher, on_signal, signal_number);
	handle->run = run;
	handle->arg = arg;
	ph_list_append(&signal_handles, &inner->link);
	ev_signal_start(loop, &inner->watcher);
}

void ph_on_signal_stop(struct ph_on_signal *handle)
{
	struct signal_handle *inner = signal_handle(handle);
	if (!ev_is_active(&inner->watcher))
		return;
	ev_signal_stop(loop, &inner->watcher);
	ph_list_remove(&inner->link);
}

/* --- Posts --- */

static void add_post(struct post_queue *queue, void (*run)(void *arg), void *arg)
{
	struct post *post = ph_alloc(sizeof(*post));
	post->run = run;
	post->arg = arg;
	*queue->end = post;
	queue->end = &post->next;
}

static struct post *take_posts(struct post_queue *queue)
{
	struct post *first = queue->first;
	queue->first = NULL;
	queue->end = &queue->first;
	return first;
}

static void run_posts(struct post *post)
{
	while (post) {
		struct post *next = post->next;
		post->run(post->arg);
		free(post);
		post = next;
	}
}

static void free_posts(struct post_queue *queue)
{
	struct post *post = take_posts(queue);
	while (post) {
		struct post *next = post->next;
		free(post);
		post = next;
	}
}

void ph_loop_post(void (*run)(void *arg), void *arg)
{
	add_post(&posts, run, arg);
}

void ph_loop_post_from_thread(void (*run)(void *arg), void *arg)
{
	pthread_mutex_lock(&thread_posts_lock);
	add_post(&thread_posts, run, arg);
	pthread_mutex_unlock(&thread_posts_lock);
	ev_async_send(loop, &thread_posted);
}

static void run_thread_posts(struct ev_loop *l, ev_async *watcher, int events)
{
	(void)l, (void)watcher, (void)events;
	pthread_mutex_lock(&thread_posts_lock);
	struct post *first = take_posts(&thread_posts);
	pthread_mutex_unlock(&thread_posts_lock);
	run_posts(first);
}

/* --- Running --- */

static void update_now(struct ev_loop *l, ev_check *watcher, int events)
{
	(void)l, (void)watcher, (void)events;
	now = read_clock(CLOCK_MONOTONIC);
}

static void destroy(void)
{
	PH_LIST_EACH (&signal_handles, link) {
		struct signal_handle *handle = ph_container_of(link, struct signal_handle, link);
		ev_signal_stop(loop, &handle->watcher);
		ph_list_remove(link);
	}
	fiber_free_all();
	free_posts(&posts);
	free_posts(&thread_posts);
	ev_loop_destroy(loop);
	loop = NULL;
}

/* A loop that is there already was inherited by fork: what it watched is the parent's concern. */
void ph_loop_init(void)
{
	if (loop)
		destroy();
	signal(SIGPIPE, SIG_IGN);
	loop = ev_default_loop(EVFLAG_AUTO);
	PH_ASSERT(loop);
	now = read_clock(CLOCK_MONOTONIC);
	ev_check_init(&after_wait, update_now);
	ev_set_priority(&after_wait, EV_MAXPRI);
	ev_check_start(loop, &after_wait);
	ev_async_init(&thread_posted, run_thread_posts);
	ev_async_start(loop, &thread_posted);
}

void ph_loop_run(void)
{
	breaking = false;
	while (!breaking) {
		for (int i = 0; i < FIBER_ROUNDS && !breaking && fiber_any_ready(); i++)
			fiber_run_ready();
		bool waits = !breaking && !fiber_any_ready() && !posts.first;
		ev_run(loop, waits ? EVRUN_ONCE : EVRUN_NOWAIT);
		run_posts(take_posts(&posts));
	}
}

void ph_loop_break(void)
{
	breaking = true;
}

void ph_loop_free(void)
{
	if (!loop)
		return;
	offload_stop();
	destroy();
}
