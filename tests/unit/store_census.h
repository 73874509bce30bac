/* All messages of all mailboxes of all accounts, by the number in their subject. Taking a census also sees to
 * it that no UID ever names another message. */
#ifndef STORE_CENSUS_H
#define STORE_CENSUS_H

#include "store_fixture.h"

#define MESSAGES_MAX 200
#define BOXES_MAX 60
#define NAME_SIZE 64

struct box {
	ph_account_id account;
	char name[NAME_SIZE];
	struct ph_mailbox_status status;
};

struct message {
	const struct box *box;
	uint32_t uid;
	unsigned text; /* the number in its subject */
	unsigned flags;
	size_t keywords;
};

struct census {
	struct box boxes[BOXES_MAX];
	struct message messages[MESSAGES_MAX];
	size_t box_count, message_count;
};

/* All UIDs there ever were, and what they named. */
struct given {
	char id[sizeof(((struct ph_mailbox_status *)NULL)->id)];
	uint32_t uid, uid_validity;
	unsigned text;
};

static struct census before, now;
static struct given given[MESSAGES_MAX * 4];
static size_t given_count;

static unsigned read_number(struct ph_mailbox *mailbox, const struct ph_message *message)
{
	struct ph_message_bytes *blob;
	struct ph_str bytes;
	unsigned number = 0;
	char text[64];

	ck_assert_int_eq(st->message_open(mailbox, message, &blob, NULL), 0);
	ck_assert_uint_eq(st->message_size(blob), message->size);
	ck_assert_int_eq(st->message_view(blob, 0, &bytes, NULL), 0);
	snprintf(text, sizeof(text), "%.*s", PH_STR_ARGS(ph_str_slice(bytes, 0, sizeof(text) - 1)));
	ck_assert_int_eq(sscanf(text, "Subject: %u", &number), 1);
	st->message_close(&blob);
	return number;
}

static void note_given(const struct message *message)
{
	const struct ph_mailbox_status *status = &message->box->status;

	for (size_t i = 0; i < given_count; i++) {
		if (strcmp(given[i].id, status->id) != 0 || given[i].uid != message->uid)
			continue;
		ck_assert_uint_eq(given[i].text, message->text);
		ck_assert_uint_eq(given[i].uid_validity, status->uid_validity);
		return;
	}
	ck_assert_uint_lt(given_count, sizeof(given) / sizeof(*given));
	given[given_count] = (struct given){
		.uid = message->uid, .uid_validity = status->uid_validity, .text = message->text
	};
	memcpy(given[given_count++].id, status->id, sizeof(status->id));
}

static void count_mailbox(struct census *census, ph_account_id account, struct ph_str name)
{
	struct box *box = &census->boxes[census->box_count++];
	const struct ph_message *message;
	struct ph_message_iterator *iterator;
	struct ph_mailbox *mailbox;

	ck_assert_uint_le(census->box_count, BOXES_MAX);
	box->account = account;
	snprintf(box->name, sizeof(box->name), "%.*s", PH_STR_ARGS(name));
	box->status = status_of(account, box->name);
	mailbox = open_mailbox(account, box->name, true);
	iterator = st->messages_begin(mailbox, NULL, PH_MESSAGE_SUMMARY);
	while (st->messages_next(iterator, &message)) {
		struct message *counted = &census->messages[census->message_count++];

		ck_assert_uint_le(census->message_count, MESSAGES_MAX);
		ck_assert_uint_lt(message->uid, box->status.uid_next);
		ck_assert_uint_le(message->modseq, box->status.highest_modseq);
		*counted = (struct message){ box, message->uid, read_number(mailbox, message), message->flags,
			message->keyword_count };
		note_given(counted);
	}
	ck_assert_int_eq(st->messages_end(&iterator, NULL), 0);
	st->mailbox_close(&mailbox);
}

static void take_census(struct census *census)
{
	struct ph_account *accounts;
	struct ph_mailbox_entry *entries;
	size_t account_count, count;

	census->box_count = census->message_count = 0;
	ck_assert_int_eq(st->account_list(SYSTEM, fixture.pool, &accounts, &account_count, NULL), 0);
	for (size_t i = 0; i < account_count; i++) {
		ck_assert_int_eq(
			st->mailbox_list(SYSTEM, accounts[i].id, fixture.pool, &entries, &count, NULL), 0);
		for (size_t j = 0; j < count; j++) {
			if (entries[j].exists)
				count_mailbox(census, accounts[i].id, entries[j].name);
		}
	}
}

/* How often the text is in the mailbox; NULL: in all of the account; 0: in all accounts. */
static unsigned count_text(ph_account_id account, const char *name, unsigned text)
{
	unsigned count = 0;

	for (size_t i = 0; i < now.message_count; i++) {
		const struct message *message = &now.messages[i];

		count += message->text == text && (account == 0 || message->box->account == account) &&
			 (!name || strcmp(message->box->name, name) == 0);
	}
	return count;
}

static const struct box *find_box(const struct census *census, ph_account_id account, const char *name)
{
	for (size_t i = 0; i < census->box_count; i++) {
		if (census->boxes[i].account == account && strcmp(census->boxes[i].name, name) == 0)
			return &census->boxes[i];
	}
	return NULL;
}

#endif
