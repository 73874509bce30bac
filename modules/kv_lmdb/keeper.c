/* The keeper sleeps until the committer says that enough was written. What fails is tried again when as much
 * again was written. On a full disk it looks every few seconds whether something can go. */
#include <config.h>

#include "keeper.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include <posthorn/log.h>
#include <posthorn/loop.h>

#include "checkpoint.h"
#include "compact.h"
#include "environment.h"
#include "opening.h"

#define FULL_SECONDS 2

static pthread_t keeper;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
/* Under the lock. */
static bool wanted, disk_is_full;
static atomic_bool stopping;
/* Of the committer's thread: from how many bytes on. */
static uint64_t checkpoint_after, next_after;
static unsigned compact_percent;
static time_t full_told; /* the committer's */

static bool go_on(uint64_t done, uint64_t total)
{
	(void)done, (void)total;
	return !atomic_load(&stopping);
}

static void log_failure(void *arg)
{
	int rc = (int)(intptr_t)arg;

	ph_log(PH_LOG_ERROR, "the journal cannot be looked after",
		PH_LOG_TEXT("error", ph_code_name(environment_code(rc))), PH_LOG_NUMBER("code", rc));
}

static void take_care(bool full)
{
	int rc;

	if (!opening_take_care())
		return;
	rc = full ? compact_full_store(go_on) : checkpoint_write(go_on);
	if (!rc)
		rc = compact_journal(compact_percent, go_on);
	opening_end_care();
	if (rc && rc != PH_E_STALE)
		ph_loop_post_from_thread(log_failure, (void *)(intptr_t)rc);
}

static void *run_keeper(void *arg)
{
	bool full;

	(void)arg;
	pthread_mutex_lock(&lock);
	while (!atomic_load(&stopping)) {
		if (!wanted) {
			pthread_cond_wait(&work, &lock);
			continue;
		}
		full = disk_is_full;
		wanted = disk_is_full = false;
		pthread_mutex_unlock(&lock);
		take_care(full);
		pthread_mutex_lock(&lock);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

int keeper_start(uint64_t checkpoint_after_, unsigned compact_percent_)
{
	sigset_t all, before;
	int rc;

	checkpoint_after = next_after = checkpoint_after_;
	compact_percent = compact_percent_;
	wanted = disk_is_full = false;
	full_told = 0;
	atomic_store(&stopping, false);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&keeper, NULL, run_keeper, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

void keeper_stop(void)
{
	pthread_mutex_lock(&lock);
	atomic_store(&stopping, true);
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&lock);
	pthread_join(keeper, NULL);
}

static void wake(bool full)
{
	pthread_mutex_lock(&lock);
	wanted = true;
	disk_is_full |= full;
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&lock);
}

void keeper_tell(uint64_t since_checkpoint)
{
	if (since_checkpoint < checkpoint_after)
		next_after = checkpoint_after;
	if (since_checkpoint < next_after)
		return;
	next_after = since_checkpoint + checkpoint_after;
	wake(false);
}

void keeper_tell_full(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (full_told != 0 && now.tv_sec - full_told < FULL_SECONDS)
		return;
	full_told = now.tv_sec;
	wake(true);
}
