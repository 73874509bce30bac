/* Bytes that do not read back are told in the log with account, mailbox and UID: once, however often a client
 * asks for them. */
#include <config.h>

#include "message_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/fiber.h>
#include <posthorn/log.h>
#include <posthorn/mem.h>

#include "mailbox.h"
#include "naming.h"

/* Damaged messages that a process remembers having told of. */
#define TOLD_MAX 256
/* Messages longer than this let others have their turn while they are checked. */
#define YIELD_EVERY (1024 * 1024)

struct ph_message_bytes {
	struct ph_kv_blob *blob;
	struct ph_kv_blob_id id;
	uint64_t mailbox;
	uint32_t uid;
};

static struct ph_kv_blob_id told[TOLD_MAX];
static size_t told_count;

static bool was_told(const struct ph_kv_blob_id *id)
{
	for (size_t i = 0; i < told_count && i < TOLD_MAX; i++)
		if (memcmp(told[i].bytes, id->bytes, sizeof(id->bytes)) == 0)
			return true;
	return false;
}

static void tell(const struct ph_message_bytes *bytes, const struct ph_error *error)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct ph_str account = naming_account(mailbox_account(bytes->mailbox), pool);
	struct ph_str mailbox = naming_mailbox(bytes->mailbox, pool);

	ph_log(PH_LOG_ERROR, "a message's bytes are damaged", PH_LOG_STR("account", account),
		PH_LOG_STR("mailbox", mailbox), PH_LOG_NUMBER("uid", bytes->uid), PH_LOG_ERROR_DETAIL(error));
	ph_pool_free(&pool);
}

static int report(
	const struct ph_message_bytes *bytes, int result, struct ph_error *cause, struct ph_error *error)
{
	char text[64];

	if (result != PH_E_CORRUPT) {
		if (error)
			*error = *cause;
		return result;
	}
	if (!was_told(&bytes->id)) {
		told[told_count++ % TOLD_MAX] = bytes->id;
		tell(bytes, cause);
	}
	snprintf(text, sizeof(text), "the message with UID %u is damaged", (unsigned)bytes->uid);
	ph_error_set(error, PH_E_CORRUPT, text, NULL);
	if (error)
		error->detail[0] = '\0';
	return PH_E_CORRUPT;
}

int message_open(struct ph_mailbox *mailbox, const struct ph_message *message,
	struct ph_message_bytes **bytes_r, struct ph_error *error)
{
	struct ph_message_bytes *bytes = ph_alloc(sizeof(*bytes));
	struct ph_error cause = { 0 };
	int result;

	*bytes = (struct ph_message_bytes){
		.id = message->blob,
		.mailbox = mailbox->number,
		.uid = message->uid,
	};
	result = store.kv->blob_open(message->blob, &bytes->blob, &cause);
	if (result == 0) {
		*bytes_r = bytes;
		return 0;
	}
	result = report(bytes, result, &cause, error);
	free(bytes);
	return result;
}

uint64_t message_size(const struct ph_message_bytes *bytes)
{
	return store.kv->blob_size(bytes->blob);
}

int message_view(
	struct ph_message_bytes *bytes, uint64_t offset, struct ph_str *part_r, struct ph_error *error)
{
	struct ph_error cause = { 0 };
	int result = store.kv->blob_view(bytes->blob, offset, part_r, &cause);

	return result < 0 ? report(bytes, result, &cause, error) : result;
}

int message_check(struct ph_message_bytes *bytes, uint64_t offset, uint64_t size, struct ph_error *error)
{
	uint64_t whole = message_size(bytes),
		 end = size < whole && offset < whole - size ? offset + size : whole;
	struct ph_str part;
	uint64_t yielded = offset;

	while (offset < end) {
		int result = message_view(bytes, offset, &part, error);

		if (result < 0)
			return result;
		offset += part.len;
		if (offset - yielded > YIELD_EVERY) {
			ph_fiber_yield();
			yielded = offset;
		}
	}
	return 0;
}

void message_close(struct ph_message_bytes **bytes)
{
	if (!*bytes)
		return;
	store.kv->blob_close(&(*bytes)->blob);
	free(*bytes);
	*bytes = NULL;
}
