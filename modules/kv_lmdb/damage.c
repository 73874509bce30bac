/* A damaged record's changes must not be made: nobody knows which of them are true. But their keys tell what
 * they were about. They are kept in the file `damage` of the store, a line for each:
 *
 *   SEGMENT OFFSET put|delete KIND NUMBER KEY        the key in hexadecimal digits
 *   SEGMENT OFFSET unknown 0 0 -                     nothing could be read
 *
 * Where the record's header reads back only its operations are looked at, since a sender can put what he
 * likes in the bytes of a message. */
#include <config.h>

#include "damage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/buf.h>
#include <posthorn/bytes.h>
#include <posthorn/error.h>
#include <posthorn/log.h>
#include <posthorn/mem.h>

#include "environment.h"
#include "file.h"
#include "record.h"

#define NAME "damage"
#define FILE_MAX (16 * 1024 * 1024)
/* Of a long stretch its end is looked at: there the operations are. */
#define LOOK_MAX (UINT64_C(64) << 20)
/* Operations that are tried, whatever a sender made the bytes look like. */
#define STEPS_MAX UINT64_C(20000000)
/* Before a key: its partition's kind and number. */
#define PREFIX 9

static const char *store;
/* Lines of the file from here on are of this process. */
static size_t own_from = SIZE_MAX;

void damage_open(const char *store_)
{
	store = store_;
	own_from = SIZE_MAX;
}

/* --- the file --- */

static int load(struct ph_buf *lines)
{
	char *path = file_path(store, NAME), *to;
	int rc = 0, fd = file_operations.open(path, O_RDONLY);
	uint64_t size = 0;

	free(path);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	rc = file_size(fd, &size);
	if (size > FILE_MAX)
		size = FILE_MAX;
	to = ph_buf_reserve(lines, (size_t)size + 1);
	if (!rc && size > 0)
		rc = file_read(fd, to, (size_t)size, 0);
	if (!rc)
		ph_buf_added(lines, (size_t)size);
	file_operations.close(fd);
	return rc;
}

static int save(struct ph_buf *lines)
{
	char *path = file_path(store, NAME);
	int rc;

	ph_buf_add_char(lines, '\0');
	rc = file_replace(path, store, lines->data);
	free(path);
	return rc;
}

int damage_forget(void)
{
	char *path = file_path(store, NAME);
	int rc = file_operations.unlink(path) < 0 && errno != ENOENT ? errno : file_flush_folder(store);

	free(path);
	return environment_code(rc);
}

/* --- what a stretch held --- */

static void add_line(struct ph_buf *lines, const char *place, const struct operation *operation)
{
	const char *key = operation->key.data;

	ph_buf_printf(lines, "%s %s %u %" PRIu64 " ", place,
		operation->type == OPERATION_PUT ? "put" : "delete", (unsigned)(unsigned char)key[0],
		ph_bytes_get64(key + 1));
	for (size_t i = PREFIX; i < operation->key.len; i++)
		ph_buf_printf(lines, "%02x", (unsigned)(unsigned char)key[i]);
	ph_buf_add_char(lines, '\n');
}

/* Is this all that may stand behind the operations of a record: zeros, and perhaps the next record? */
static bool is_end(struct ph_str rest)
{
	size_t zeros = 0;

	while (zeros < rest.len && zeros < RECORD_ALIGNMENT && rest.data[zeros] == '\0')
		zeros++;
	rest = ph_str_slice(rest, zeros, rest.len);
	return rest.len == 0 || record_begins(rest);
}

/* Operations to the end of their record: *rest moves behind them. Each step takes from *steps. */
static bool pass_chain(struct ph_str *rest, uint64_t *steps)
{
	struct ph_str after = *rest;
	struct operation operation;

	while (*steps > 0 && !is_end(after)) {
		--*steps;
		if (operation_next(&after, &operation) != 1)
			return false;
	}
	if (*steps == 0 || after.data == rest->data)
		return false;
	*rest = after;
	return true;
}

static void add_chain(struct ph_buf *lines, const char *place, struct ph_str *rest)
{
	struct operation operation;

	while (rest->len > 0 && lines->len < FILE_MAX && operation_next(rest, &operation) == 1)
		if ((operation.type == OPERATION_PUT || operation.type == OPERATION_DELETE) &&
			operation.key.len > PREFIX && operation.key.len <= PREFIX + PH_KV_KEY_MAX)
			add_line(lines, place, &operation);
}

/* `begins`: the bytes begin with an operation. Behind what does not read back the next operations are found
 * by their leading to the end of the record. */
static void add_changes(struct ph_buf *lines, const char *place, struct ph_str bytes, bool begins)
{
	const size_t before = lines->len;
	uint64_t steps = STEPS_MAX;

	if (begins)
		add_chain(lines, place, &bytes);
	while (bytes.len > 0 && steps > 0 && lines->len < FILE_MAX) {
		struct ph_str after = bytes;

		if (pass_chain(&after, &steps)) {
			bytes.len -= after.len;
			add_chain(lines, place, &bytes);
			bytes = after;
		} else {
			bytes = ph_str_slice(bytes, 1, bytes.len);
		}
	}
	if (lines->len == before)
		ph_buf_printf(lines, "%s unknown 0 0 -\n", place);
}

/* The operations of the record at `from`, if its header says where they are: true. */
static bool narrow(int fd, const struct segment_header *header, uint64_t *from, uint64_t *end)
{
	unsigned char bytes[RECORD_HEADER];
	struct record_header record;
	uint64_t room = *end - *from;

	if (header && room >= RECORD_HEADER && file_read(fd, bytes, sizeof(bytes), *from) == 0 &&
		record_header_read(&record, header->salt, *from, bytes) &&
		record.bytes <= room - RECORD_HEADER &&
		record.operations <= room - RECORD_HEADER - record.bytes && record_size(&record) == room) {
		*from += RECORD_HEADER + record.bytes;
		*end = *from + record.operations;
		return true;
	}
	if (room > LOOK_MAX)
		*from = *end - LOOK_MAX;
	return false;
}

/* Is this stretch known from an earlier recovery? */
static bool is_remembered(struct ph_str lines, const char *place)
{
	struct ph_str line;

	while (lines.len > 0 && ph_str_split(&lines, '\n', &line))
		if (ph_str_starts(line, ph_str(place)) && line.len > strlen(place) &&
			line.data[strlen(place)] == ' ')
			return true;
	return false;
}

void damage_found(int fd, uint64_t segment, const struct segment_header *header, uint64_t from, uint64_t end)
{
	struct ph_buf lines;
	char place[48], *bytes;
	bool begins;
	int rc;

	snprintf(place, sizeof(place), "%" PRIu64 " %" PRIu64, segment, from);
	begins = narrow(fd, header, &from, &end);
	ph_buf_init(&lines, FILE_MAX * 2);
	bytes = ph_alloc((size_t)(end - from) + 1);
	rc = load(&lines);
	if (!rc && !is_remembered(ph_buf_str(&lines), place)) {
		if (own_from > lines.len)
			own_from = lines.len;
		if (file_read(fd, bytes, (size_t)(end - from), from))
			end = from;
		add_changes(&lines, place, ph_str_of(bytes, (size_t)(end - from)), begins);
		rc = save(&lines);
	}
	if (rc)
		ph_log(PH_LOG_ERROR, "what was damaged cannot be remembered",
			PH_LOG_TEXT("error", strerror(rc)));
	free(bytes);
	ph_buf_free(&lines);
}

/* --- telling --- */

static bool take_number(struct ph_str *line, uint64_t *number_r)
{
	struct ph_str word;

	return ph_str_split(line, ' ', &word) && ph_str_number(word, UINT64_MAX, number_r);
}

static size_t take_key(struct ph_str digits, char key_r[PH_KV_KEY_MAX])
{
	size_t len = digits.len / 2 < PH_KV_KEY_MAX ? digits.len / 2 : PH_KV_KEY_MAX;

	for (size_t i = 0; i < len; i++) {
		const char digit[3] = { digits.data[2 * i], digits.data[2 * i + 1], '\0' };

		key_r[i] = (char)strtoul(digit, NULL, 16);
	}
	return len;
}

static bool read_line(struct ph_str line, struct ph_kv_damage *damage_r, char key_r[PH_KV_KEY_MAX])
{
	struct ph_str rest = line, type;
	uint64_t segment, offset, kind;

	if (!take_number(&rest, &segment) || !take_number(&rest, &offset))
		return false;
	damage_r->place = ph_str_slice(line, 0, (size_t)(rest.data - line.data) - 1);
	if (!ph_str_split(&rest, ' ', &type) || !take_number(&rest, &kind) ||
		!take_number(&rest, &damage_r->partition.number))
		return false;
	damage_r->is_known = !ph_str_eq(type, PH_STR("unknown"));
	damage_r->was_deleted = ph_str_eq(type, PH_STR("delete"));
	damage_r->partition.kind = (uint8_t)kind;
	damage_r->key = ph_str_of(key_r, damage_r->is_known ? take_key(rest, key_r) : 0);
	return true;
}

int damage_each(void (*tell)(void *arg, const struct ph_kv_damage *damage), void *arg)
{
	struct ph_str rest, line;
	struct ph_buf lines;
	int rc;

	ph_buf_init(&lines, FILE_MAX * 2);
	rc = load(&lines);
	rest = ph_buf_str(&lines);
	while (!rc && rest.len > 0 && ph_str_split(&rest, '\n', &line)) {
		struct ph_kv_damage damage = { .is_new = (size_t)(line.data - lines.data) >= own_from };
		char key[PH_KV_KEY_MAX];

		if (read_line(line, &damage, key))
			tell(arg, &damage);
	}
	ph_buf_free(&lines);
	return environment_code(rc);
}
