/* A worker's life: give up root, start the modules and the policy, say "ready", accept when told, and at the
 * end let the connections finish. It ends by itself when the master does. */
#include <config.h>

#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <posthorn/log.h>
#include <posthorn/loop.h>

#include "bus_private.h"
#include "listen.h"
#include "lua_host.h"
#include "metric_private.h"
#include "paths.h"

enum { BEAT_INTERVAL = 500, STOP_TIMEOUT = 10000, POLL_INTERVAL = 20 };

static struct {
	const struct worker_plan *plan;
	struct module_set modules;
	struct ph_timer beat;
	struct ph_io channel;
	struct ph_on_signal on_terminate, on_hangup;
	bool ready;
	bool ending;         /* the fiber that ends the worker runs */
	ph_msec drain_until; /* connections may go on until then */
	int status;
} worker = { .drain_until = PH_FOREVER };

/* --- To the master --- */

static void tell_master(enum worker_message kind, const char *text)
{
	char message[WORKER_MESSAGE_MAX];
	int len = snprintf(message, sizeof(message), "%c%s", kind, text);

	if (len >= (int)sizeof(message))
		len = sizeof(message) - 1;
	/* A master that is gone needs no telling. */
	send(worker.plan->channel, message, (size_t)len, MSG_NOSIGNAL);
}

static void beat(void *arg)
{
	(void)arg;
	atomic_store(&worker.plan->board->beat, ph_now());
	atomic_store(&worker.plan->board->connections, conn_count());
	ph_timer_start(&worker.beat, BEAT_INTERVAL, beat, NULL);
}

/* --- The end --- */

static bool wait_for_connections(const ph_msec *until)
{
	while (conn_count() > 0 && ph_now() < *until)
		ph_fiber_sleep(POLL_INTERVAL);
	return conn_count() == 0;
}

static void stop_all(void)
{
	lua_host_close();
	module_stop_all(&worker.modules);
	listener_free_all();
	bus_close();
}

/* On a fiber of its own. */
static void end(void *arg)
{
	ph_msec until;

	(void)arg;
	listener_stop_all();
	tell_master(WORKER_QUIET, "");
	if (!wait_for_connections(&worker.drain_until)) {
		conn_goodbye_all();
		until = ph_now() + STOP_TIMEOUT;
		wait_for_connections(&until);
	}
	/* What still runs could be hurt by a stop: then the end of the process is the gentler way. */
	if (conn_count() == 0)
		stop_all();
	else
		ph_log(PH_LOG_WARN, "connections left behind", PH_LOG_NUMBER("connections", conn_count()));
	ph_loop_break();
}

static void begin_end(ph_msec drain)
{
	ph_msec until = ph_now() + drain;

	if (until < worker.drain_until)
		worker.drain_until = until;
	/* A start that hangs must not outlive the master. */
	if (!worker.ready)
		alarm(STOP_TIMEOUT / 1000);
	if (worker.ending || !worker.ready)
		return;
	worker.ending = true;
	ph_fiber_start("end", end, NULL);
}

/* --- The start --- */

static int start_parts(struct ph_error *error)
{
	const struct config *config = worker.plan->config;
	int result = module_init_all(&worker.modules, NULL, error);

	if (result == 0)
		result = module_start_all(&worker.modules, error);
	if (result == 0)
		result = lua_host_open(&config->policy, paths_scripts(), error);
	return result;
}

static void report_ready(void)
{
	struct ph_text_list files = lua_host_files();

	for (size_t i = 0; i < files.count; i++)
		tell_master(WORKER_FILE, files.items[i]);
	tell_master(WORKER_READY, "");
	worker.ready = true;
}

/* On a fiber of its own. */
static void start(void *arg)
{
	struct ph_error error = { 0 };

	(void)arg;
	if (start_parts(&error) != 0) {
		tell_master(WORKER_FAILED, error.detail[0] ? error.detail : error.client);
		module_stop_all(&worker.modules);
		worker.status = PH_EXIT_FAILED;
		ph_loop_break();
		return;
	}
	alarm(0);
	report_ready();
	if (worker.drain_until != PH_FOREVER)
		begin_end(0); /* was told so while it started */
}

static void accept_connections(void)
{
	const struct config *config = worker.plan->config;

	for (size_t i = 0; i < config->listeners.count && !worker.ending; i++)
		if (worker.plan->listener_fds[i] >= 0)
			listener_start(config_listener(config, i), worker.plan->listener_fds[i]);
}

/* --- From the master --- */

static void on_message(void *arg, int events)
{
	char message[WORKER_MESSAGE_MAX];
	ssize_t len;

	(void)arg, (void)events;
	len = recv(worker.plan->channel, message, sizeof(message), MSG_DONTWAIT);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0 || message[0] == WORKER_STOP) {
		if (len <= 0)
			ph_io_stop(&worker.channel);
		begin_end(0);
	} else if (message[0] == WORKER_ACCEPT) {
		accept_connections();
	} else if (message[0] == WORKER_DRAIN) {
		begin_end(worker.plan->config->drain_timeout);
	}
}

static void on_terminate(void *arg)
{
	(void)arg;
	begin_end(0);
}

static void on_hangup(void *arg)
{
	(void)arg;
	log_reopen();
}

/* The interrupt key reaches all processes of the terminal: the master decides what it means. */
static void watch_signals(void)
{
	sigset_t none;

	signal(SIGINT, SIG_IGN);
	ph_on_signal_start(&worker.on_terminate, SIGTERM, on_terminate, NULL);
	ph_on_signal_start(&worker.on_hangup, SIGHUP, on_hangup, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void exit_unless(bool good, const struct ph_error *error)
{
	if (good)
		return;
	tell_master(WORKER_FAILED, error->detail);
	_exit(PH_EXIT_FAILED);
}

void worker_run(const struct worker_plan *plan)
{
	struct ph_error error = { .detail = "the master has ended" };

	worker.plan = plan;
	worker.modules = plan->config->modules;
	signal(SIGALRM, SIG_DFL);
	log_set_process("worker", (int)plan->number);
	exit_unless(log_open(&plan->config->log, &error) == 0, &error);
	exit_unless(user_become(&plan->user, &error) == 0, &error);
	/* After the change of user, which would clear it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	exit_unless(getppid() == plan->master, &error);
	ph_loop_init();
	watch_signals();
	metric_set_column(plan->number + 1);
	bus_join(plan->number);
	conn_set_worker(plan->number);
	config_apply(plan->config);
	ph_io_start(&worker.channel, plan->channel, PH_READABLE, on_message, NULL);
	beat(NULL);
	ph_fiber_start("start", start, NULL);
	ph_loop_run();
	ph_loop_free();
	/* Not _exit(): a sanitizer looks for leaks on the way out. */
	exit(worker.status);
}
