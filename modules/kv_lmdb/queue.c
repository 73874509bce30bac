/* The waiting updates. See queue.h. */
#include <config.h>

#include "queue.h"

#include <pthread.h>
#include <time.h>

#define SECOND INT64_C(1000000000)
/* How long a group may gather, as a part of what the last flush took, and at most. */
#define GATHER_FRACTION 4
#define GATHER_NANOSECONDS 2000000
/* So many of those who are waited for are worth waking up for. */
#define GATHER_PART 16

static size_t most_updates;
static uint64_t most_bytes;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work; /* its clock is the monotonic one */
static pthread_cond_t thread_finished = PTHREAD_COND_INITIALIZER;
/* Under the lock. */
static struct ph_list waiting, finished;
static bool ending;
static size_t waiting_count;
/* How many waiting updates wake the committer. */
static size_t wake_count;
/* The committer's own: whom a group gathers: how many, how many came, what bytes they may bring and brought,
 * until when; and when it was complete. */
static struct {
	size_t wanted, count;
	uint64_t room, bytes;
	struct timespec until, complete;
} gathering;

void queue_start(size_t group_updates, uint64_t group_bytes)
{
	pthread_condattr_t attributes;

	most_updates = group_updates;
	most_bytes = group_bytes;
	ending = false;
	waiting_count = 0;
	wake_count = 1;
	gathering.wanted = 0;
	ph_list_init(&waiting);
	ph_list_init(&finished);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&work, &attributes);
	pthread_condattr_destroy(&attributes);
}

void queue_free(void)
{
	pthread_cond_destroy(&work);
}

/* Under the lock. */
static void add_waiting(struct update *update)
{
	ph_list_append(&waiting, &update->link);
	if (++waiting_count >= wake_count)
		pthread_cond_signal(&work);
}

void queue_add(struct update *update)
{
	ph_list_init(&update->link);
	pthread_mutex_lock(&lock);
	add_waiting(update);
	pthread_mutex_unlock(&lock);
}

void queue_add_and_block(struct update *update)
{
	ph_list_init(&update->link);
	update->from_thread = true;
	pthread_mutex_lock(&lock);
	add_waiting(update);
	while (!update->finished)
		pthread_cond_wait(&thread_finished, &lock);
	pthread_mutex_unlock(&lock);
}

void queue_end(void)
{
	pthread_mutex_lock(&lock);
	ending = true;
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&lock);
}

void queue_take_finished(struct ph_list *done)
{
	pthread_mutex_lock(&lock);
	queue_move_all(&finished, done);
	pthread_mutex_unlock(&lock);
}

/* --- the committer's thread --- */

/* Under the lock: takes as many as may come into the group, which is complete when one may not. */
static void take_waiting(struct ph_list *group)
{
	while (!ph_list_empty(&waiting) && gathering.count < most_updates) {
		struct update *update = ph_container_of(waiting.next, struct update, link);

		if (gathering.count > 0 && gathering.bytes + update->bytes > gathering.room) {
			gathering.wanted = 0;
			return;
		}
		ph_list_remove(&update->link);
		ph_list_append(group, &update->link);
		gathering.bytes += update->bytes;
		gathering.count++;
		waiting_count--;
	}
}

static bool is_past(const struct timespec *time)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > time->tv_sec || (now.tv_sec == time->tv_sec && now.tv_nsec >= time->tv_nsec);
}

bool queue_is_gathering(uint64_t room)
{
	gathering.room = room < most_bytes ? room : most_bytes;
	return gathering.count < gathering.wanted && gathering.count < most_updates &&
	       gathering.bytes < gathering.room && !is_past(&gathering.until);
}

/* Under the lock: waits until a good part of those who are missing is there, or gathering ends. */
static void wait_for_part(void)
{
	size_t missing = gathering.wanted > gathering.count ? gathering.wanted - gathering.count : 0;

	wake_count = missing < GATHER_PART ? missing : GATHER_PART;
	while (!ending && waiting_count < wake_count)
		if (pthread_cond_timedwait(&work, &lock, &gathering.until))
			break;
}

bool queue_take_group(struct ph_list *group)
{
	bool go_on;

	gathering.count = 0;
	gathering.bytes = 0;
	gathering.room = most_bytes;
	pthread_mutex_lock(&lock);
	wait_for_part();
	wake_count = 1;
	while (ph_list_empty(&waiting) && !ending)
		pthread_cond_wait(&work, &lock);
	go_on = !ending || !ph_list_empty(&waiting);
	take_waiting(group);
	pthread_mutex_unlock(&lock);
	return go_on;
}

void queue_take_more(struct ph_list *joined)
{
	pthread_mutex_lock(&lock);
	wait_for_part();
	take_waiting(joined);
	pthread_mutex_unlock(&lock);
}

void queue_gathered(void)
{
	gathering.wanted = 0;
	clock_gettime(CLOCK_MONOTONIC, &gathering.complete);
}

/* Under the lock: whom the next group waits for, and how long. `count` were woken. */
static void plan_gathering(size_t count)
{
	struct timespec now;
	int64_t nanoseconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	nanoseconds =
		(now.tv_sec - gathering.complete.tv_sec) * SECOND + now.tv_nsec - gathering.complete.tv_nsec;
	nanoseconds /= GATHER_FRACTION;
	gathering.until = now;
	gathering.until.tv_nsec += nanoseconds < GATHER_NANOSECONDS ? nanoseconds : GATHER_NANOSECONDS;
	if (gathering.until.tv_nsec >= SECOND) {
		gathering.until.tv_sec++;
		gathering.until.tv_nsec -= SECOND;
	}
	gathering.wanted = waiting_count + count;
}

void queue_finish(struct ph_list *group)
{
	size_t count = 0;

	pthread_mutex_lock(&lock);
	PH_LIST_EACH (group, node) {
		struct update *update = ph_container_of(node, struct update, link);

		count++;
		ph_list_remove(node);
		if (update->from_thread)
			update->finished = true;
		else
			ph_list_append(&finished, node);
	}
	pthread_cond_broadcast(&thread_finished);
	plan_gathering(count);
	pthread_mutex_unlock(&lock);
}
