/* Checking and repairing all that is stored, beside a running server. */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../record.h"
#include "../store.h"

struct fault {
	uint32_t uid; /* 0: of the whole mailbox */
	bool repaired;
	char text[120];
};

struct fault_list {
	struct fault *items;
	size_t count, capacity;
};

struct check {
	bool repair;
	bool quick; /* the messages' bytes are not read */
	/* Called with each fault; `mailbox` is empty for what is the whole account's. */
	void (*tell)(struct check *check, const struct fault *fault);
	/* Where it is. */
	struct ph_str address, mailbox;
	uint64_t messages, messages_total; /* the latter as the accounts count them */
	/* What it found. */
	uint64_t faults, repaired;
};

/* All accounts, or with an id that one. 0 also when there are faults. */
int check_store(struct check *check, ph_account_id id, struct ph_error *error);

/* --- of one mailbox --- */

void fault_add(struct fault_list *list, uint32_t uid, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void check_report(struct check *check, const struct fault *fault);
/* Its records, counters, keywords and log; then each message's summary and bytes. */
int check_records(struct check *check, uint64_t mailbox, struct ph_error *error);
int check_messages(struct check *check, uint64_t mailbox, struct ph_error *error);
/* Gives threads to the messages that were stored before there were any. */
int give_threads(uint64_t mailbox, struct ph_error *error);

/* --- of one account --- */

int check_threads(struct check *check, ph_account_id id, struct ph_error *error);

#endif
