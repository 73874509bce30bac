/* Forking workers, hearing of them, and starting anew those that die. Whatever changes makes the master's
 * loop return, so that it looks at everything in one place and forks outside of any callback. */
#include <config.h>

#include "generation.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <posthorn/log.h>
#include <posthorn/metric.h>

#include "bus_private.h"
#include "control.h"
#include "metric_private.h"
#include "watch.h"

enum { DELAY_MIN = 100, DELAY_MAX = 30000, GOOD_LIFE = 10000 };

struct ph_list generations = { &generations, &generations };

static struct {
	struct worker_board *boards; /* one for each slot, shared */
	bool used[BUS_SLOTS_MAX];
	unsigned last_number;
	struct ph_metric *restarts;
} shared;

/* --- Slots --- */

int generations_open(unsigned slots, struct ph_error *error)
{
	shared.boards = mmap(NULL, slots * sizeof(*shared.boards), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	PH_ASSERT(shared.boards != MAP_FAILED);
	shared.restarts = ph_metric_counter(
		"posthorn_worker_restarts_total", NULL, "Workers that ended unasked and were started anew.");
	return bus_open(slots, error);
}

unsigned generations_free_slots(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < bus_slots(); i++)
		count += !shared.used[i];
	return count;
}

/* The caller has seen that there is one. */
static unsigned take_slot(void)
{
	unsigned slot = 0;

	while (slot < bus_slots() && shared.used[slot])
		slot++;
	PH_ASSERT(slot < bus_slots());
	shared.used[slot] = true;
	return slot;
}

/* --- Making and freeing --- */

/* Workers of a master that was killed need a moment to notice and to let go of the address. */
static int bind_patiently(const struct listener_config *listener, struct ph_error *error)
{
	const struct timespec moment = { .tv_nsec = 50000000 };
	int fd = listener_bind(listener, error);

	for (int i = 0; fd == PH_E_BUSY && i < 40; i++) {
		nanosleep(&moment, NULL);
		fd = listener_bind(listener, error);
	}
	return fd;
}

/* The listening socket of the same address, shared; or a new one. */
static int share_or_bind(
	const struct listener_config *listener, const struct generation *former, struct ph_error *error)
{
	int fd;

	for (size_t i = 0; former && i < former->config->listeners.count; i++) {
		if (former->listener_fds[i] < 0 ||
			strcmp(config_listener(former->config, i)->address, listener->address) != 0)
			continue;
		fd = dup(former->listener_fds[i]);
		return fd >= 0 ? fd
			       : ph_error_set(error, PH_E_IO, "cannot listen", "dup: %s", strerror(errno));
	}
	return former ? listener_bind(listener, error) : bind_patiently(listener, error);
}

static int open_listeners(
	struct generation *generation, const struct generation *former, struct ph_error *error)
{
	size_t count = generation->config->listeners.count;

	generation->listener_fds = ph_alloc_array(count + 1, sizeof(int));
	for (size_t i = 0; i < count; i++)
		generation->listener_fds[i] = -1;
	for (size_t i = 0; i < count; i++) {
		struct listener_config *listener = config_listener(generation->config, i);
		int fd = share_or_bind(listener, former, error);

		if (fd == PH_E_BUSY && listener->optional) {
			listener->left_out = true;
			ph_log(PH_LOG_WARN, "listener left out", PH_LOG_TEXT("listener", listener->name),
				PH_LOG_ERROR_DETAIL(error));
			continue;
		}
		if (fd < 0)
			return fd;
		generation->listener_fds[i] = fd;
	}
	return 0;
}

static void close_listeners(struct generation *generation)
{
	for (size_t i = 0; generation->listener_fds && i < generation->config->listeners.count; i++) {
		if (generation->listener_fds[i] >= 0)
			close(generation->listener_fds[i]);
	}
	free(generation->listener_fds);
	generation->listener_fds = NULL;
}

static void make_places(struct generation *generation)
{
	generation->count = (size_t)generation->config->public.workers;
	generation->places = ph_alloc_array(generation->count, sizeof(*generation->places));
	for (size_t i = 0; i < generation->count; i++) {
		generation->places[i].generation = generation;
		generation->places[i].slot = take_slot();
		generation->places[i].wanted = true;
		generation->places[i].delay = DELAY_MIN;
	}
}

struct generation *generation_new(
	struct config **config, const struct generation *former, struct ph_error *error)
{
	struct generation *generation = ph_alloc(sizeof(*generation));

	generation->config = *config;
	*config = NULL;
	generation->files = ph_map_new();
	generation->number = ++shared.last_number;
	ph_list_append(&generations, &generation->link);
	if (user_find(generation->config, &generation->user, error) == 0 &&
		user_make_directory(&generation->user, generation->config->public.data_directory, error) ==
			0 &&
		open_listeners(generation, former, error) == 0)
		make_places(generation);
	else
		generation_free(&generation);
	return generation;
}

void generation_free(struct generation **generation)
{
	struct generation *old = *generation;

	close_listeners(old);
	for (size_t i = 0; i < old->count; i++) {
		PH_ASSERT(old->places[i].pid == 0);
		ph_timer_stop(&old->places[i].respawn);
		shared.used[old->places[i].slot] = false;
	}
	ph_list_remove(&old->link);
	ph_map_free(&old->files);
	free(old->places);
	config_free(&old->config);
	free(old);
	*generation = NULL;
}

/* --- What workers hear and say --- */

static void tell(struct worker_place *place, enum worker_message message)
{
	if (place->pid == 0)
		return;
	place->accepting = place->accepting || message == WORKER_ACCEPT;
	send(place->channel, &(char){ (char)message }, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void hear(struct worker_place *place, enum worker_message kind, struct ph_str text)
{
	struct generation *generation = place->generation;

	switch (kind) {
	case WORKER_FILE:
		ph_map_put(generation->files, text, generation);
		break;
	case WORKER_READY:
		place->ready = true;
		if (generation->state == GENERATION_CURRENT)
			tell(place, WORKER_ACCEPT);
		break;
	case WORKER_QUIET:
		place->accepting = false;
		break;
	case WORKER_FAILED:
		if (generation->state == GENERATION_CURRENT)
			ph_log(PH_LOG_ERROR, "worker cannot start", PH_LOG_NUMBER("worker", place->slot),
				PH_LOG_STR("error", text));
		if (!generation->failed)
			ph_error_set(&generation->error, PH_E_INVALID, "a worker cannot start", "%.*s",
				PH_STR_ARGS(text));
		generation->failed = true;
		break;
	default:
		break;
	}
	ph_loop_break();
}

static void on_message(void *arg, int events)
{
	struct worker_place *place = arg;
	char message[WORKER_MESSAGE_MAX];
	ssize_t len = recv(place->channel, message, sizeof(message), MSG_DONTWAIT);

	(void)events;
	if (len > 0)
		hear(place, (enum worker_message)message[0], ph_str_of(message + 1, (size_t)len - 1));
	else if (len == 0)
		ph_io_stop(&place->input);
}

/* Takes what the worker said before it ended. */
static void drain_channel(struct worker_place *place)
{
	char message[WORKER_MESSAGE_MAX];
	ssize_t len;

	while ((len = recv(place->channel, message, sizeof(message), MSG_DONTWAIT)) > 0)
		hear(place, (enum worker_message)message[0], ph_str_of(message + 1, (size_t)len - 1));
	ph_io_stop(&place->input);
	close(place->channel);
}

static void want_again(void *arg)
{
	struct worker_place *place = arg;

	place->wanted = true;
	ph_loop_break();
}

static void log_end(const struct worker_place *place, int status)
{
	const struct generation *generation = place->generation;
	/* Why a start failed is told elsewhere. */
	bool expected = generation->state != GENERATION_CURRENT && WIFEXITED(status) &&
			(WEXITSTATUS(status) == 0 || generation->failed);
	enum ph_log_level level = expected ? PH_LOG_DEBUG : PH_LOG_ERROR;

	if (WIFSIGNALED(status))
		ph_log(level, "worker ended by a signal", PH_LOG_NUMBER("worker", place->slot),
			PH_LOG_NUMBER("pid", place->pid), PH_LOG_TEXT("signal", strsignal(WTERMSIG(status))));
	else
		ph_log(level, "worker ended", PH_LOG_NUMBER("worker", place->slot),
			PH_LOG_NUMBER("pid", place->pid), PH_LOG_NUMBER("status", WEXITSTATUS(status)));
}

/* One that lived well is started again at once; one that dies again and again has to wait longer each time.
 */
static void plan_respawn(struct worker_place *place)
{
	if (ph_now() - place->started >= GOOD_LIFE)
		place->delay = DELAY_MIN;
	ph_log(PH_LOG_INFO, "starting the worker anew", PH_LOG_NUMBER("worker", place->slot),
		PH_LOG_NUMBER("after_ms", place->delay));
	ph_timer_start(&place->respawn, place->delay, want_again, place);
	place->delay = place->delay * 2 < DELAY_MAX ? place->delay * 2 : DELAY_MAX;
	ph_metric_add(shared.restarts, 1);
}

static void on_end(void *arg, int status)
{
	struct worker_place *place = arg;
	struct generation *generation = place->generation;

	drain_channel(place);
	bus_leave(place->slot);
	metric_clear_gauges(place->slot + 1);
	log_end(place, status);
	place->pid = 0;
	place->ready = place->accepting = false;
	if (generation->state == GENERATION_CURRENT) {
		plan_respawn(place);
	} else if (generation->state == GENERATION_STARTING && !generation->failed) {
		generation->failed = true;
		ph_error_set(&generation->error, PH_E_IO, "a worker cannot start",
			"a worker ended while it started");
	}
	ph_loop_break();
}

/* --- Forking --- */

/* What the master holds and the worker must not: other generations' listening sockets above all, which would
 * else stay bound as long as this worker lives. */
static void close_others(const struct worker_place *own)
{
	PH_LIST_EACH (&generations, link) {
		struct generation *generation = ph_container_of(link, struct generation, link);

		if (generation != own->generation)
			close_listeners(generation);
		for (size_t i = 0; i < generation->count; i++) {
			if (generation->places[i].pid != 0)
				close(generation->places[i].channel);
		}
	}
	control_forget();
	watch_forget();
}

static void become_worker(const struct worker_place *place, int channel, pid_t master)
{
	struct worker_plan plan = {
		.config = place->generation->config,
		.user = place->generation->user,
		.number = place->slot,
		.master = master,
		.channel = channel,
		.listener_fds = place->generation->listener_fds,
		.board = &shared.boards[place->slot],
	};

	close_others(place);
	worker_run(&plan);
}

static void prepare_place(struct worker_place *place)
{
	place->wanted = false;
	place->ready = false;
	place->started = ph_now();
	atomic_store(&shared.boards[place->slot].beat, ph_now());
	atomic_store(&shared.boards[place->slot].connections, 0);
}

/* Signals wait until the new process has its own handlers. */
static pid_t fork_quietly(void)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid != 0)
		sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static void spawn(struct worker_place *place)
{
	int fds[2] = { -1, -1 };
	pid_t pid = -1, master = getpid();

	prepare_place(place);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0)
		pid = fork_quietly();
	if (pid == 0) {
		close(fds[0]);
		become_worker(place, fds[1], master);
	}
	if (pid < 0) {
		ph_log(PH_LOG_ERROR, "cannot fork a worker", PH_LOG_TEXT("error", strerror(errno)));
		if (fds[0] >= 0)
			close(fds[0]);
		ph_timer_start(&place->respawn, place->delay, want_again, place);
	} else {
		place->pid = pid;
		place->channel = fds[0];
		ph_io_start(&place->input, fds[0], PH_READABLE, on_message, place);
		ph_child_start(&place->child, pid, on_end, place);
	}
	if (fds[1] >= 0)
		close(fds[1]);
}

void generation_spawn(struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++) {
		if (generation->places[i].wanted)
			spawn(&generation->places[i]);
	}
}

/* --- Life --- */

bool generation_is_ready(const struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++) {
		if (!generation->places[i].ready)
			return false;
	}
	return !generation->failed;
}

bool generation_accepts(const struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++) {
		if (generation->places[i].accepting)
			return true;
	}
	return false;
}

size_t generation_living(const struct generation *generation)
{
	size_t count = 0;

	for (size_t i = 0; i < generation->count; i++)
		count += generation->places[i].pid != 0;
	return count;
}

void generation_tell(struct generation *generation, enum worker_message message)
{
	for (size_t i = 0; i < generation->count; i++)
		tell(&generation->places[i], message);
}

void generation_promote(struct generation *generation)
{
	generation->state = GENERATION_CURRENT;
	generation_tell(generation, WORKER_ACCEPT);
}

void generation_retire(struct generation *generation)
{
	generation->state = GENERATION_DRAINING;
	for (size_t i = 0; i < generation->count; i++) {
		generation->places[i].wanted = false;
		ph_timer_stop(&generation->places[i].respawn);
	}
	close_listeners(generation);
}

void generations_signal(int signal_number)
{
	PH_LIST_EACH (&generations, link) {
		struct generation *generation = ph_container_of(link, struct generation, link);

		for (size_t i = 0; i < generation->count; i++) {
			if (generation->places[i].pid != 0)
				kill(generation->places[i].pid, signal_number);
		}
	}
}

static void check_beat(const struct worker_place *place)
{
	ph_msec silence = ph_now() - atomic_load(&shared.boards[place->slot].beat);

	if (place->pid == 0 || silence < place->generation->config->worker_timeout)
		return;
	ph_log(PH_LOG_ERROR, "worker hangs: killing it", PH_LOG_NUMBER("worker", place->slot),
		PH_LOG_NUMBER("pid", place->pid), PH_LOG_NUMBER("silent_ms", silence));
	kill(place->pid, SIGKILL);
	/* Once is enough. */
	atomic_store(&shared.boards[place->slot].beat, ph_now());
}

void generations_check_beats(void)
{
	PH_LIST_EACH (&generations, link) {
		struct generation *generation = ph_container_of(link, struct generation, link);

		for (size_t i = 0; i < generation->count; i++)
			check_beat(&generation->places[i]);
	}
}

void generation_print(const struct generation *generation, struct ph_buf *out)
{
	static const char *const states[] = { "starting", "current", "draining" };

	ph_buf_printf(out, "generation %u (%s): %zu workers\n", generation->number, states[generation->state],
		generation_living(generation));
	for (size_t i = 0; i < generation->count; i++) {
		const struct worker_place *place = &generation->places[i];

		if (place->pid != 0)
			ph_buf_printf(out, "  worker %u: pid %d, %s, %u connections\n", place->slot,
				(int)place->pid, place->ready ? "ready" : "starting",
				atomic_load(&shared.boards[place->slot].connections));
	}
}
