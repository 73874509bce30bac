/* The master owns the sockets, the configuration and the workers, and never meets a client.
 *
 * Signals, control requests, dying workers and changed files only note what is to be done and make the loop
 * return; step() then does it, outside of any callback: that is where configurations are read and workers are
 * forked. A reload builds a whole new generation beside the current one, which is replaced only when every
 * new worker says that it is ready; until then nothing of the running server has changed. */
#include <config.h>

#include "master.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <posthorn/log.h>
#include <posthorn/metric.h>
#include <posthorn/tool.h>

#include "bus_private.h"
#include "control.h"
#include "generation.h"
#include "metric_private.h"
#include "watch.h"

enum { TICK = 500, STOP_PATIENCE = 15000, SLOTS_MIN = 16, REPLACE_PATIENCE = 3000 };

static struct {
	const struct master_options *options;
	struct generation *current;
	struct generation *starting;
	struct generation *replaced; /* the former current one, until it accepts no more */
	ph_msec replaced_at;
	char run_directory[4096];
	ph_msec started;
	/* Reloads are counted: asked for, begun, and done with the last one's result. */
	unsigned asked, begun, done;
	bool last_good;
	char last_error[1024];
	struct ph_signal settled;
	bool stopping;
	ph_msec kill_at;
	int exit_code;
	struct ph_timer tick;
	struct ph_on_signal on_terminate, on_interrupt, on_hangup;
	struct ph_metric *reloads_good, *reloads_failed;
} master;

/* --- Asking --- */

static unsigned ask_reload(void)
{
	ph_loop_break();
	return ++master.asked;
}

static void ask_stop(void)
{
	if (master.stopping)
		return;
	master.stopping = true;
	master.kill_at = ph_now() + STOP_PATIENCE;
	ph_log_event(PH_LOG_INFO, "stopping");
	ph_loop_break();
}

static void on_terminate(void *arg)
{
	(void)arg;
	ask_stop();
}

static void on_interrupt(void *arg)
{
	(void)arg;
	if (master.stopping)
		generations_signal(SIGKILL);
	ask_stop();
}

static void on_hangup(void *arg)
{
	(void)arg;
	log_reopen();
	generations_signal(SIGHUP);
	ask_reload();
}

static void on_changed(const char *path)
{
	ph_log(PH_LOG_INFO,
		ph_str_ends(ph_str(path), PH_STR(".lua")) ? "policy changed" : "certificate changed",
		PH_LOG_TEXT("file", path));
	ask_reload();
}

static void tick(void *arg)
{
	(void)arg;
	generations_check_beats();
	if (master.stopping && ph_now() >= master.kill_at)
		generations_signal(SIGKILL);
	if (master.replaced)
		ph_loop_break();
	ph_timer_start(&master.tick, TICK, tick, NULL);
}

/* --- Control requests: each on a fiber --- */

static bool answer_status(struct ph_buf *text)
{
	ph_buf_printf(text, "posthorn %s, pid %d, up %lld s\n", PACKAGE_VERSION, (int)getpid(),
		(long long)((ph_now() - master.started) / 1000));
	ph_buf_printf(text, "configuration %s\n", master.options->config_file);
	PH_LIST_EACH (&generations, link)
		generation_print(ph_container_of(link, struct generation, link), text);
	if (master.done > 0)
		ph_buf_printf(text, "last reload: %s%s\n",
			master.last_good ? "good" : "failed: ", master.last_error);
	return true;
}

static bool answer_reload(struct ph_buf *text)
{
	unsigned ticket = ask_reload();

	while (master.done < ticket && !master.stopping)
		ph_signal_wait(&master.settled, PH_FOREVER);
	if (master.done < ticket)
		ph_buf_add_text(text, "the server is stopping\n");
	else if (!master.last_good)
		ph_buf_printf(text, "%s\n", master.last_error);
	return master.done >= ticket && master.last_good;
}

static int hex_digit(char c)
{
	return ph_is_digit(c)                             ? c - '0'
	       : ph_lower(c) >= 'a' && ph_lower(c) <= 'f' ? ph_lower(c) - 'a' + 10
							  : -1;
}

/* "TOPIC HEX" */
static bool answer_publish(struct ph_str rest)
{
	char topic[101], message[PH_BUS_MESSAGE_MAX];
	struct ph_str word;
	size_t len = 0;

	if (!ph_str_split(&rest, ' ', &word) || word.len >= sizeof(topic) || rest.len / 2 > sizeof(message))
		return false;
	snprintf(topic, sizeof(topic), "%.*s", PH_STR_ARGS(word));
	for (; rest.len >= 2; rest = ph_str_slice(rest, 2, rest.len)) {
		int high = hex_digit(rest.data[0]), low = hex_digit(rest.data[1]);

		if (high < 0 || low < 0)
			return false;
		message[len++] = (char)(high << 4 | low);
	}
	ph_bus_publish(topic, ph_str_of(message, len));
	return rest.len == 0;
}

static bool answer(struct ph_str request, struct ph_buf *text)
{
	struct ph_str verb = PH_STR("");

	ph_str_split(&request, ' ', &verb);
	if (ph_str_eq(verb, PH_STR("status")))
		return answer_status(text);
	if (ph_str_eq(verb, PH_STR("reload")))
		return answer_reload(text);
	if (ph_str_eq(verb, PH_STR("publish")))
		return answer_publish(request);
	if (ph_str_eq(verb, PH_STR("metrics"))) {
		metric_print(text);
		return true;
	}
	if (ph_str_eq(verb, PH_STR("stop"))) {
		ask_stop();
		return true;
	}
	ph_buf_add_text(text, "unknown request\n");
	return false;
}

/* --- Generations --- */

static void watch_generation(const struct generation *generation)
{
	const struct tls_config *tls = &generation->config->tls;
	struct ph_str path;
	size_t cursor = 0;
	void *value;

	watch_clear();
	while (ph_map_next(generation->files, &cursor, &path, &value))
		watch_file(path);
	watch_file(ph_str(tls->certificate));
	watch_file(ph_str(tls->key));
	if (tls->directory[0])
		watch_folder(ph_str(tls->directory));
}

static void settle_reload(bool good, const char *text)
{
	bool first = master.current == NULL;

	master.done = master.begun;
	master.last_good = good;
	snprintf(master.last_error, sizeof(master.last_error), "%s", good ? "" : text);
	if (!good && !first)
		ph_log(PH_LOG_ERROR, "reload failed, the old configuration keeps serving",
			PH_LOG_TEXT("error", master.last_error));
	ph_metric_add(good ? master.reloads_good : master.reloads_failed, first ? 0 : 1);
	ph_signal_all(&master.settled);
}

/* The lines of a problem list, in one. */
static void settle_problems(struct ph_buf *problems)
{
	while (problems->len > 0 && problems->data[problems->len - 1] == '\n')
		problems->len--;
	ph_buf_add_char(problems, '\0');
	settle_reload(false, problems->data);
}

static void warn_of_fixed_options(const struct config *config)
{
	if (strcmp(config->run_directory, master.run_directory) != 0)
		ph_log(PH_LOG_WARN, "run_directory takes effect when the server is started anew",
			PH_LOG_TEXT("run_directory", config->run_directory));
}

/* Makes the oldest generation of the past end now; false when there is none. */
static bool hurry_oldest(void)
{
	PH_LIST_EACH (&generations, link) {
		struct generation *generation = ph_container_of(link, struct generation, link);

		if (generation->state == GENERATION_DRAINING && generation_living(generation) > 0) {
			generation_tell(generation, WORKER_STOP);
			return true;
		}
	}
	return false;
}

static int start_generation(struct config **config, struct ph_error *error)
{
	int result = tls_load(&(*config)->tls, error);

	if (result != 0)
		return result;
	master.starting = generation_new(config, master.current, error);
	return master.starting ? 0 : error->code;
}

/* Certificates are the master's own: those of the current generation come back. */
static void restore_tls(void)
{
	struct ph_error error = { 0 };

	if (master.current && tls_load(&master.current->config->tls, &error) != 0)
		ph_log(PH_LOG_WARN, "the former certificates cannot be read again",
			PH_LOG_ERROR_DETAIL(&error));
}

static void begin_reload(void)
{
	struct ph_buf problems;
	struct ph_error error = { 0 };
	struct config *config = config_read(master.options->config_file, &problems);

	bool room = !config || generations_free_slots() >= (unsigned)config->public.workers;

	if (room || !hurry_oldest()) {
		master.begun = master.asked;
		if (!config) {
			settle_problems(&problems);
		} else if (!room) {
			settle_reload(
				false, "so many more workers need the server to be stopped and started anew");
		} else if (start_generation(&config, &error) != 0) {
			settle_reload(false, error.detail);
			restore_tls();
		}
	}
	/* Else it begins when those have ended. */
	config_free(&config);
	ph_buf_free(&problems);
}

/* Only now the next connection surely meets the new generation. */
static void finish_replacing(void)
{
	if (generation_accepts(master.replaced) && ph_now() < master.replaced_at + REPLACE_PATIENCE)
		return;
	master.replaced = NULL;
	ph_log(PH_LOG_INFO, "reloaded", PH_LOG_NUMBER("generation", master.current->number));
	settle_reload(true, "");
}

static void replace_current(void)
{
	struct generation *old = master.current;
	struct ph_error error = { 0 };

	generation_promote(master.starting);
	master.current = master.starting;
	master.starting = NULL;
	watch_generation(master.current);
	if (log_open(&master.current->config->log, &error) != 0)
		ph_log(PH_LOG_WARN, "log stays as it was", PH_LOG_ERROR_DETAIL(&error));
	if (!old) {
		ph_log(PH_LOG_INFO, "ready", PH_LOG_NUMBER("workers", master.current->count),
			PH_LOG_NUMBER("listeners", master.current->config->listeners.count));
		if (master.options->ready)
			master.options->ready(master.current->config);
		return;
	}
	warn_of_fixed_options(master.current->config);
	generation_retire(old);
	generation_tell(old, WORKER_DRAIN);
	master.replaced = old;
	master.replaced_at = ph_now();
}

static void give_up_starting(void)
{
	struct generation *failed = master.starting;

	master.starting = NULL;
	generation_retire(failed);
	generation_tell(failed, WORKER_STOP);
	settle_reload(false, failed->error.detail);
	restore_tls();
	if (!master.current) {
		ph_log(PH_LOG_ERROR, "cannot start", PH_LOG_TEXT("error", master.last_error));
		master.exit_code = PH_EXIT_FAILED;
		ask_stop();
	}
}

static void sweep_generations(void)
{
	PH_LIST_EACH (&generations, link) {
		struct generation *generation = ph_container_of(link, struct generation, link);
		bool over = generation->state == GENERATION_DRAINING || master.stopping;

		if (!over || generation_living(generation) > 0)
			continue;
		if (generation == master.current)
			master.current = NULL;
		if (generation == master.starting)
			master.starting = NULL;
		if (generation == master.replaced)
			master.replaced = NULL;
		generation_free(&generation);
	}
}

static void stop_generations(void)
{
	PH_LIST_EACH (&generations, link) {
		struct generation *generation = ph_container_of(link, struct generation, link);

		if (generation->listener_fds)
			generation_retire(generation);
		generation_tell(generation, WORKER_STOP);
	}
	ph_signal_all(&master.settled);
}

static void go_on(void)
{
	if (master.replaced)
		finish_replacing();
	sweep_generations();
	if (master.starting && master.starting->failed)
		give_up_starting();
	else if (master.starting && generation_is_ready(master.starting))
		replace_current();
	if (!master.stopping && !master.starting && !master.replaced && master.asked != master.begun)
		begin_reload();
	PH_LIST_EACH (&generations, link)
		generation_spawn(ph_container_of(link, struct generation, link));
}

/* Whatever has happened, this does what follows from it. */
static void step(void)
{
	if (!master.stopping)
		go_on();
	if (master.stopping) {
		stop_generations();
		sweep_generations();
	}
}

/* --- Start and stop --- */

/* Every connection is a descriptor. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static unsigned slots_for(const struct config *config)
{
	unsigned slots = (unsigned)config->public.workers * 4;

	return slots < SLOTS_MIN ? SLOTS_MIN : slots < BUS_SLOTS_MAX ? slots : BUS_SLOTS_MAX;
}

static void register_metrics(void)
{
	metric_open();
	master.reloads_good = ph_metric_counter(
		"posthorn_reloads_total", "result=\"good\"", "Reloads of the configuration.");
	master.reloads_failed = ph_metric_counter(
		"posthorn_reloads_total", "result=\"failed\"", "Reloads of the configuration.");
}

static int open_control(const struct config *config, const struct user *user, struct ph_error *error)
{
	const char *path = config_control_path(config);
	int result = user_make_directory(user, config->run_directory, error);

	snprintf(master.run_directory, sizeof(master.run_directory), "%s", config->run_directory);
	if (result == 0)
		result = control_open(path, answer, error);
	if (result == 0 && user->change && control_chown(path, user->uid, user->gid) != 0)
		result = ph_error_set(error, PH_E_IO, "cannot make the control socket",
			"%s: cannot be given to %s", path, user->name);
	return result;
}

static void settle_user(const struct config *config, const struct user *user)
{
	if (strcmp(config->user, user->name) != 0)
		ph_log(PH_LOG_WARN, "there is no such user: workers run as another",
			PH_LOG_TEXT("user", config->user), PH_LOG_TEXT("instead", user->name));
	log_set_owner(user->uid, user->gid);
}

/* What is done once, whatever the configuration becomes later. */
static int open_once(const struct config *config, struct ph_error *error)
{
	struct user user;
	int result = log_open(&config->log, error);

	log_set_process("master", -1);
	if (result == 0)
		result = user_find(config, &user, error);
	if (result == 0 && user.change)
		settle_user(config, &user);
	if (result == 0)
		result = open_control(config, &user, error);
	if (result == 0)
		result = generations_open(slots_for(config), error);
	return result;
}

static void watch_signals(void)
{
	ph_on_signal_start(&master.on_terminate, SIGTERM, on_terminate, NULL);
	ph_on_signal_start(&master.on_interrupt, SIGINT, on_interrupt, NULL);
	ph_on_signal_start(&master.on_hangup, SIGHUP, on_hangup, NULL);
}

static int begin(struct config **config)
{
	struct ph_error error = { 0 };
	int result;

	register_metrics();
	result = open_once(*config, &error);
	if (result == 0) {
		watch_open(on_changed);
		watch_signals();
		tick(NULL);
		result = start_generation(config, &error);
	}
	if (result != 0)
		ph_log(PH_LOG_ERROR, "cannot start", PH_LOG_ERROR_DETAIL(&error));
	return result;
}

static void run(void)
{
	for (;;) {
		step();
		if (master.stopping && ph_list_empty(&generations))
			return;
		ph_loop_run();
	}
}

int master_run(const struct master_options *options)
{
	struct ph_buf problems;
	struct config *config = config_read(options->config_file, &problems);

	master.options = options;
	if (!config) {
		fwrite(problems.data, 1, problems.len, stderr);
		ph_buf_free(&problems);
		return PH_EXIT_CONFIG;
	}
	ph_buf_free(&problems);
	raise_limits();
	ph_loop_init();
	ph_signal_init(&master.settled);
	master.started = ph_now();
	if (begin(&config) == 0)
		run();
	else
		master.exit_code = PH_EXIT_FAILED;
	if (master.exit_code == 0)
		ph_log_event(PH_LOG_INFO, "stopped");
	control_close();
	config_free(&config);
	tls_unload();
	log_close();
	ph_loop_free();
	return master.exit_code;
}
