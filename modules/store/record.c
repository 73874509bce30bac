/* Stored records. See record.h. */
#include <config.h>

#include "record.h"

#include <string.h>

#include <posthorn/bytes.h>

struct ph_str key_plain(struct key *key, char kind)
{
	key->bytes[0] = kind;
	return ph_str_of(key->bytes, 1);
}

struct ph_str key_32(struct key *key, char kind, uint32_t number)
{
	key->bytes[0] = kind;
	ph_bytes_put32(key->bytes + 1, number);
	return ph_str_of(key->bytes, 5);
}

struct ph_str key_64(struct key *key, char kind, uint64_t number)
{
	key->bytes[0] = kind;
	ph_bytes_put64(key->bytes + 1, number);
	return ph_str_of(key->bytes, 9);
}

struct ph_str key_text(struct key *key, char kind, struct ph_str text)
{
	size_t len = text.len < PH_KV_KEY_MAX - 1 ? text.len : PH_KV_KEY_MAX - 1;

	key->bytes[0] = kind;
	for (size_t i = 0; i < len; i++)
		key->bytes[1 + i] = ph_lower(text.data[i]);
	return ph_str_of(key->bytes, 1 + len);
}

/* created, disabled, length of the address, address, hash */
int account_record_decode(struct ph_str value, struct account_record *record_r)
{
	size_t address;

	if (value.len < 11)
		return PH_E_CORRUPT;
	address = ph_bytes_get16(value.data + 9);
	if (address > value.len - 11)
		return PH_E_CORRUPT;
	record_r->created = (int64_t)ph_bytes_get64(value.data);
	record_r->disabled = value.data[8] != 0;
	record_r->address = ph_str_slice(value, 11, 11 + address);
	record_r->password_hash = ph_str_slice(value, 11 + address, value.len);
	return 0;
}

size_t account_record_encode(const struct account_record *record, char *to)
{
	size_t address = record->address.len, hash = record->password_hash.len;

	if (address > ACCOUNT_RECORD_MAX || hash > ACCOUNT_RECORD_MAX ||
		11 + address + hash > ACCOUNT_RECORD_MAX)
		return 0;
	ph_bytes_put64(to, (uint64_t)record->created);
	to[8] = record->disabled;
	ph_bytes_put16(to + 9, (uint16_t)address);
	memcpy(to + 11, record->address.data, address);
	if (hash > 0)
		memcpy(to + 11 + address, record->password_hash.data, hash);
	return 11 + address + hash;
}

int directory_counters_decode(struct ph_str value, struct directory_counters *counters_r)
{
	if (value.len != DIRECTORY_COUNTERS_SIZE)
		return PH_E_CORRUPT;
	counters_r->next_account = ph_bytes_get64(value.data);
	counters_r->uid_validity = ph_bytes_get32(value.data + 8);
	return 0;
}

void directory_counters_encode(const struct directory_counters *counters, char *to)
{
	ph_bytes_put64(to, counters->next_account);
	ph_bytes_put32(to + 8, counters->uid_validity);
}

int account_counters_decode(struct ph_str value, struct account_counters *counters_r)
{
	if (value.len != ACCOUNT_COUNTERS_SIZE)
		return PH_E_CORRUPT;
	counters_r->next_mailbox = ph_bytes_get32(value.data);
	counters_r->next_uid_validity = ph_bytes_get32(value.data + 4);
	counters_r->mailboxes = ph_bytes_get32(value.data + 8);
	return 0;
}

void account_counters_encode(const struct account_counters *counters, char *to)
{
	ph_bytes_put32(to, counters->next_mailbox);
	ph_bytes_put32(to + 4, counters->next_uid_validity);
	ph_bytes_put32(to + 8, counters->mailboxes);
}

int usage_decode(struct ph_str value, struct usage *usage_r)
{
	if (value.len != USAGE_SIZE)
		return PH_E_CORRUPT;
	usage_r->bytes = (int64_t)ph_bytes_get64(value.data);
	usage_r->messages = (int64_t)ph_bytes_get64(value.data + 8);
	return 0;
}

void usage_encode(const struct usage *usage, char *to)
{
	ph_bytes_put64(to, (uint64_t)usage->bytes);
	ph_bytes_put64(to + 8, (uint64_t)usage->messages);
}

int mailbox_record_decode(struct ph_str value, struct mailbox_record *record_r)
{
	if (value.len <= 16 || value.len > MAILBOX_RECORD_MAX)
		return PH_E_CORRUPT;
	record_r->number = ph_bytes_get64(value.data);
	record_r->uid_validity = ph_bytes_get32(value.data + 8);
	record_r->special_use = ph_bytes_get32(value.data + 12);
	record_r->name = ph_str_slice(value, 16, value.len);
	return 0;
}

size_t mailbox_record_encode(const struct mailbox_record *record, char *to)
{
	ph_bytes_put64(to, record->number);
	ph_bytes_put32(to + 8, record->uid_validity);
	ph_bytes_put32(to + 12, record->special_use);
	memcpy(to + 16, record->name.data, record->name.len);
	return 16 + record->name.len;
}

int meta_decode(struct ph_str value, struct meta *meta_r)
{
	const char *from = value.data;

	if (value.len != META_SIZE)
		return PH_E_CORRUPT;
	*meta_r = (struct meta){
		.uid_validity = ph_bytes_get32(from),
		.uid_next = ph_bytes_get32(from + 4),
		.messages = ph_bytes_get32(from + 8),
		.unseen = ph_bytes_get32(from + 12),
		.deleted = ph_bytes_get32(from + 16),
		.recent = ph_bytes_get32(from + 20),
		.recent_from = ph_bytes_get32(from + 24),
		.keywords = ph_bytes_get32(from + 28),
		.size = ph_bytes_get64(from + 32),
		.highest_modseq = ph_bytes_get64(from + 40),
		.log_from = ph_bytes_get64(from + 48),
		.log_entries = ph_bytes_get32(from + 56),
	};
	return 0;
}

void meta_encode(const struct meta *meta, char *to)
{
	ph_bytes_put32(to, meta->uid_validity);
	ph_bytes_put32(to + 4, meta->uid_next);
	ph_bytes_put32(to + 8, meta->messages);
	ph_bytes_put32(to + 12, meta->unseen);
	ph_bytes_put32(to + 16, meta->deleted);
	ph_bytes_put32(to + 20, meta->recent);
	ph_bytes_put32(to + 24, meta->recent_from);
	ph_bytes_put32(to + 28, meta->keywords);
	ph_bytes_put64(to + 32, meta->size);
	ph_bytes_put64(to + 40, meta->highest_modseq);
	ph_bytes_put64(to + 48, meta->log_from);
	ph_bytes_put32(to + 56, meta->log_entries);
}

int thread_entry_decode(struct ph_str value, struct thread_entry *entry_r)
{
	if (value.len != THREAD_ENTRY_SIZE)
		return PH_E_CORRUPT;
	entry_r->id = ph_bytes_get64(value.data);
	entry_r->messages = ph_bytes_get32(value.data + 8);
	return 0;
}

void thread_entry_encode(const struct thread_entry *entry, char *to)
{
	ph_bytes_put64(to, entry->id);
	ph_bytes_put32(to + 8, entry->messages);
}

/* What every message has; its keywords come behind it, then the id and the keys of its thread, if it has one.
 */
#define MESSAGE_FIXED_SIZE 56

static size_t keywords_end(const struct message_record *record)
{
	return MESSAGE_FIXED_SIZE + 2 * (size_t)record->keyword_count;
}

size_t message_record_size(const struct message_record *record)
{
	return keywords_end(record) + (record->thread.id ? 8 + 8 * (size_t)record->thread.count : 0);
}

static int thread_decode(struct ph_str bytes, struct thread *thread_r)
{
	size_t count = bytes.len / 8;

	if (bytes.len == 0)
		return 0;
	if (bytes.len % 8 != 0 || count > 1 + THREAD_KEYS_MAX)
		return PH_E_CORRUPT;
	thread_r->id = ph_bytes_get64(bytes.data);
	thread_r->count = (uint8_t)(count - 1);
	for (size_t i = 0; i < thread_r->count; i++)
		thread_r->keys[i] = ph_bytes_get64(bytes.data + 8 + 8 * i);
	return thread_r->id ? 0 : PH_E_CORRUPT;
}

int message_record_decode(struct ph_str value, struct message_record *record_r)
{
	const char *from = value.data;

	if (value.len < MESSAGE_FIXED_SIZE)
		return PH_E_CORRUPT;
	*record_r = (struct message_record){
		.flags = ph_bytes_get16(from),
		.keyword_count = ph_bytes_get16(from + 2),
		.internal_zone = (int32_t)ph_bytes_get32(from + 4),
		.modseq = ph_bytes_get64(from + 8),
		.internal_date = (int64_t)ph_bytes_get64(from + 16),
		.save_date = (int64_t)ph_bytes_get64(from + 24),
		.size = ph_bytes_get64(from + 32),
		.keywords = from + MESSAGE_FIXED_SIZE,
	};
	memcpy(record_r->blob.bytes, from + 40, sizeof(record_r->blob.bytes));
	if (value.len < keywords_end(record_r))
		return PH_E_CORRUPT;
	return thread_decode(ph_str_slice(value, keywords_end(record_r), value.len), &record_r->thread);
}

void message_record_encode(const struct message_record *record, char *to)
{
	const struct thread *thread = &record->thread;
	char *rest = to + keywords_end(record);

	ph_bytes_put16(to, (uint16_t)record->flags);
	ph_bytes_put16(to + 2, record->keyword_count);
	ph_bytes_put32(to + 4, (uint32_t)record->internal_zone);
	ph_bytes_put64(to + 8, record->modseq);
	ph_bytes_put64(to + 16, (uint64_t)record->internal_date);
	ph_bytes_put64(to + 24, (uint64_t)record->save_date);
	ph_bytes_put64(to + 32, record->size);
	memcpy(to + 40, record->blob.bytes, sizeof(record->blob.bytes));
	if (record->keyword_count > 0 && record->keywords != to + MESSAGE_FIXED_SIZE)
		memmove(to + MESSAGE_FIXED_SIZE, record->keywords, 2 * (size_t)record->keyword_count);
	if (thread->id == 0)
		return;
	ph_bytes_put64(rest, thread->id);
	for (size_t i = 0; i < thread->count; i++)
		ph_bytes_put64(rest + 8 + 8 * i, thread->keys[i]);
}

uint16_t message_record_keyword(const struct message_record *record, size_t index)
{
	return ph_bytes_get16(record->keywords + 2 * index);
}
