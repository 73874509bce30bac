/* A small pool of threads for work that would hold up the loop. They are started by the first job, so that a
 * process may fork before; a job lies on the stack of the fiber that waits for it. */
#include <config.h>

#include <posthorn/offload.h>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <posthorn/loop.h>

#include "offload_private.h"

enum { MOST_THREADS = 16, LONGEST_QUEUE = 1024 };

struct job {
	struct job *next;
	void (*work)(void *arg);
	void *arg;
	struct ph_wait wait;
};

static pthread_t threads[MOST_THREADS];
static unsigned thread_count;

/* All under the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct job *first;
static struct job **end = &first;
static unsigned waiting;
static bool stopping;

static struct job *take_job(void)
{
	pthread_mutex_lock(&lock);
	while (!first && !stopping)
		pthread_cond_wait(&changed, &lock);
	struct job *job = stopping ? NULL : first;
	if (job) {
		first = job->next;
		if (!first)
			end = &first;
		waiting--;
	}
	pthread_mutex_unlock(&lock);
	return job;
}

static void wake_waiting(void *arg)
{
	struct job *job = arg;
	ph_wake(job->wait, PH_OK);
}

static void *run_jobs(void *unused)
{
	(void)unused;
	for (struct job *job = take_job(); job; job = take_job()) {
		job->work(job->arg);
		ph_loop_post_from_thread(wake_waiting, job);
	}
	return NULL;
}

static unsigned wanted_threads(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (cpus < 2)
		return 2;
	return cpus < MOST_THREADS ? (unsigned)cpus : MOST_THREADS;
}

/* Signals are the loop's: the threads are born with all of them blocked. */
static void start_threads(void)
{
	sigset_t every, former;
	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &former);
	unsigned wanted = wanted_threads();
	while (thread_count < wanted && pthread_create(&threads[thread_count], NULL, run_jobs, NULL) == 0)
		thread_count++;
	pthread_sigmask(SIG_SETMASK, &former, NULL);
}

static bool add_job(struct job *job)
{
	pthread_mutex_lock(&lock);
	bool room = waiting < LONGEST_QUEUE;
	if (room) {
		*end = job;
		end = &job->next;
		waiting++;
		pthread_cond_signal(&changed);
	}
	pthread_mutex_unlock(&lock);
	return room;
}

int ph_offload(void (*work)(void *arg), void *arg)
{
	struct job job = { .work = work, .arg = arg, .wait = ph_wait_begin() };
	if (thread_count == 0)
		start_threads();
	if (thread_count == 0 || !add_job(&job))
		return PH_E_LIMIT;
	return ph_wait_park(job.wait, PH_FOREVER);
}

void offload_stop(void)
{
	pthread_mutex_lock(&lock);
	stopping = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	while (thread_count > 0)
		pthread_join(threads[--thread_count], NULL);
	first = NULL;
	end = &first;
	waiting = 0;
	stopping = false;
}
