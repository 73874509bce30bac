/* A message is one datagram: the topic, a NUL, the message. Sending never waits: when a worker's queue is
 * full, its overflow flag (in shared memory) tells it to look for itself; an empty datagram wakes it for
 * that, in case it has read everything meanwhile. */
#include <config.h>

#include "bus_private.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <posthorn/list.h>
#include <posthorn/loop.h>
#include <posthorn/mem.h>

#include "control.h"

enum { TOPIC_MAX = 100, QUEUE_BYTES = 1 << 20, READS_PER_TURN = 100 };

struct slot_state {
	_Atomic bool listens;
	_Atomic bool overflow;
};

struct subscription {
	struct ph_list link;
	const char *topic;
	void (*receive)(void *arg, struct ph_str message, bool overflow);
	void *arg;
};

static struct {
	unsigned slots;
	int read_fds[BUS_SLOTS_MAX];
	int write_fds[BUS_SLOTS_MAX];
	struct slot_state *states; /* shared */
	int own;                   /* -1: the master, who only sends */
	struct ph_io input;
	char *control_path;
} bus = { .own = -1 };

static struct ph_list subscriptions = { &subscriptions, &subscriptions };

/* --- Making it --- */

static int make_pair(unsigned slot)
{
	int fds[2], size = QUEUE_BYTES;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
		return -1;
	/* The system may allow less. */
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	bus.read_fds[slot] = fds[0];
	bus.write_fds[slot] = fds[1];
	return 0;
}

int bus_open(unsigned slots, struct ph_error *error)
{
	PH_ASSERT(slots <= BUS_SLOTS_MAX && bus.slots == 0);
	bus.states = mmap(NULL, BUS_SLOTS_MAX * sizeof(*bus.states), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	PH_ASSERT(bus.states != MAP_FAILED);
	for (; bus.slots < slots; bus.slots++) {
		if (make_pair(bus.slots) != 0)
			return ph_error_set(error, PH_E_IO, "cannot start", "sockets between workers: %s",
				strerror(errno));
	}
	return 0;
}

unsigned bus_slots(void)
{
	return bus.slots;
}

void bus_leave(unsigned slot)
{
	atomic_store(&bus.states[slot].listens, false);
}

/* --- Receiving --- */

void ph_bus_subscribe(
	const char *topic, void (*receive)(void *arg, struct ph_str message, bool overflow), void *arg)
{
	struct subscription *subscription = ph_alloc(sizeof(*subscription));

	PH_ASSERT(strlen(topic) <= TOPIC_MAX);
	subscription->topic = topic;
	subscription->receive = receive;
	subscription->arg = arg;
	ph_list_append(&subscriptions, &subscription->link);
}

static void deliver(struct ph_str datagram)
{
	struct ph_str topic;

	if (!ph_str_split(&datagram, '\0', &topic))
		return;
	PH_LIST_EACH (&subscriptions, link) {
		struct subscription *subscription = ph_container_of(link, struct subscription, link);

		if (ph_str_eq(ph_str(subscription->topic), topic))
			subscription->receive(subscription->arg, datagram, false);
	}
}

static void deliver_overflow(void)
{
	PH_LIST_EACH (&subscriptions, link) {
		struct subscription *subscription = ph_container_of(link, struct subscription, link);

		subscription->receive(subscription->arg, PH_STR(""), true);
	}
}

/* What is left after so many is read in the next turn of the loop. */
static void receive(void *arg, int events)
{
	char datagram[TOPIC_MAX + 1 + PH_BUS_MESSAGE_MAX];

	(void)arg, (void)events;
	for (int i = 0; i < READS_PER_TURN; i++) {
		ssize_t len = recv(bus.read_fds[bus.own], datagram, sizeof(datagram), 0);

		if (len < 0)
			break;
		if (len > 0)
			deliver(ph_str_of(datagram, (size_t)len));
	}
	if (atomic_exchange(&bus.states[bus.own].overflow, false))
		deliver_overflow();
}

static void discard_old(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) >= 0) {
	}
}

void bus_join(unsigned slot)
{
	PH_ASSERT(slot < bus.slots);
	bus.own = (int)slot;
	for (unsigned i = 0; i < bus.slots; i++) {
		if (i != slot)
			close(bus.read_fds[i]);
	}
	discard_old(bus.read_fds[slot]);
	atomic_store(&bus.states[slot].overflow, false);
	atomic_store(&bus.states[slot].listens, true);
	ph_io_start(&bus.input, bus.read_fds[slot], PH_READABLE, receive, NULL);
}

void bus_close(void)
{
	if (bus.own >= 0) {
		bus_leave((unsigned)bus.own);
		ph_io_stop(&bus.input);
	}
	PH_LIST_EACH (&subscriptions, link) {
		ph_list_remove(link);
		free(ph_container_of(link, struct subscription, link));
	}
	free(bus.control_path);
	bus.control_path = NULL;
}

/* --- Sending --- */

static void send_to(unsigned slot, const void *datagram, size_t len)
{
	if (send(bus.write_fds[slot], datagram, len, MSG_NOSIGNAL) >= 0)
		return;
	atomic_store(&bus.states[slot].overflow, true);
	/* Full means that it will read anyhow. */
	send(bus.write_fds[slot], "", 0, MSG_NOSIGNAL);
}

static void send_to_all(const void *datagram, size_t len)
{
	for (unsigned slot = 0; slot < bus.slots; slot++) {
		if ((int)slot != bus.own && atomic_load(&bus.states[slot].listens))
			send_to(slot, datagram, len);
	}
}

void bus_use_control(const char *socket_path)
{
	free(bus.control_path);
	bus.control_path = ph_strdup(socket_path);
}

/* From a tool: as hexadecimal digits on one line, to the master, who sends it on. That no server runs is no
 * error. */
static void send_to_control(const char *topic, struct ph_str message)
{
	struct ph_buf line, answer;

	ph_buf_init(&line, 4096);
	ph_buf_init(&answer, 4096);
	ph_buf_printf(&line, "publish %s ", topic);
	for (size_t i = 0; i < message.len; i++)
		ph_buf_printf(&line, "%02x", (unsigned char)message.data[i]);
	control_ask(bus.control_path, ph_buf_str(&line), &answer, NULL);
	ph_buf_free(&answer);
	ph_buf_free(&line);
}

void ph_bus_publish(const char *topic, struct ph_str message)
{
	char datagram[TOPIC_MAX + 1 + PH_BUS_MESSAGE_MAX];
	size_t topic_len = strlen(topic);

	PH_ASSERT(topic_len <= TOPIC_MAX && message.len <= PH_BUS_MESSAGE_MAX);
	if (bus.control_path) {
		send_to_control(topic, message);
		return;
	}
	memcpy(datagram, topic, topic_len + 1);
	if (message.len)
		memcpy(datagram + topic_len + 1, message.data, message.len);
	send_to_all(datagram, topic_len + 1 + message.len);
}
