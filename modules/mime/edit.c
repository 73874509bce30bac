/* Changes to a message that is stored already. Nothing is changed where it lies: the changes are kept beside
 * it, and applied while it is written anew. The header is a list of fields, most of them views of the old
 * one; of the body, ranges are replaced. A new part goes behind the last one of a multipart/mixed; any other
 * message becomes the first part of a new multipart/mixed (RFC 2046, 5.1.3). */
#include "edit.h"

#include <posthorn/error.h>

#include "build.h"
#include "build_field.h"
#include "header.h"
#include "params.h"
#include "source.h"

enum { CHANGES_MAX = 200, PART_MAX = 64 * 1024 * 1024, FIELD_MAX = 1024 * 1024 };

/* A range of the message, and what stands in its place. */
struct replacement {
	uint64_t offset, end;
	struct ph_str text;
	struct replacement *next; /* by offset */
};

struct added {
	struct ph_str text;
	struct added *next;
};

struct ph_mime_edits {
	struct ph_str *fields; /* with their line ends */
	size_t count, capacity;
	struct replacement *replacements;
	struct added *added, **added_end;
	unsigned changes;
};

/* --- the list of fields --- */

static size_t count_fields(struct ph_str header)
{
	struct ph_mime_field field;
	size_t count = 0;
	while (header_next(&header, &field))
		count++;
	return count;
}

static struct ph_str add_line_end(struct ph_str text, struct ph_pool *pool)
{
	static const struct ph_str end = PH_STR_INIT("\r\n");
	char *copy = ph_pool_alloc(pool, text.len + end.len);
	if (!copy)
		return (struct ph_str){ NULL, 0 };
	memcpy(copy, text.data, text.len);
	memcpy(copy + text.len, end.data, end.len);
	return ph_str_of(copy, text.len + end.len);
}

/* A field that the message ends in may lack its line end. */
static struct ph_str with_line_end(struct ph_str raw, struct ph_pool *pool)
{
	return raw.data[raw.len - 1] == '\n' ? raw : add_line_end(raw, pool);
}

static struct ph_mime_edits *new_edits(const struct ph_mime_object *object)
{
	struct ph_mime_edits *edits = ph_pool_alloc(object->pool, sizeof *edits);
	struct ph_str header = object->header;
	struct ph_mime_field field;
	if (!edits)
		return NULL;
	/* One change makes two fields more at most (a type, and MIME-Version). */
	edits->capacity = count_fields(header) + 4 * CHANGES_MAX;
	edits->fields = ph_pool_array(object->pool, edits->capacity, sizeof *edits->fields);
	edits->added_end = &edits->added;
	while (edits->fields && header_next(&header, &field))
		edits->fields[edits->count++] = with_line_end(field.raw, object->pool);
	return edits->fields ? edits : NULL;
}

/* Before any change. */
static int begin_change(struct ph_mime_object *object)
{
	const struct ph_mime_part *root = object->message->root;
	if (!object->may_change || !object->pool || !object->source || !root ||
		root->header_size != object->header.len)
		return PH_E_DENIED;
	if (!object->edits)
		object->edits = new_edits(object);
	if (!object->edits || object->edits->changes == CHANGES_MAX)
		return PH_E_LIMIT;
	object->edits->changes++;
	return 0;
}

bool edit_next_field(const struct ph_mime_object *object, size_t *cursor, struct ph_mime_field *field_r)
{
	const struct ph_mime_edits *edits = object->edits;
	if (!edits) {
		struct ph_str rest = ph_str_slice(object->header, *cursor, object->header.len);
		if (!header_next(&rest, field_r))
			return false;
		*cursor += field_r->raw.len;
		return true;
	}
	if (*cursor >= edits->count)
		return false;
	struct ph_str raw = edits->fields[(*cursor)++];
	return header_next(&raw, field_r);
}

static struct ph_str name_of(struct ph_str raw)
{
	struct ph_mime_field field = { 0 };
	header_next(&raw, &field);
	return field.name;
}

static void insert_raw(struct ph_mime_edits *edits, size_t position, struct ph_str raw)
{
	if (position > edits->count)
		position = edits->count;
	memmove(edits->fields + position + 1, edits->fields + position,
		(edits->count - position) * sizeof *edits->fields);
	edits->fields[position] = raw;
	edits->count++;
}

static int make_field(
	struct ph_mime_object *object, struct ph_str name, struct ph_str value, struct ph_str *raw_r)
{
	struct ph_buf buf;
	ph_buf_init(&buf, FIELD_MAX);
	int result = build_field(&(struct ph_mime_new_field){ .name = name, .text = value }, &buf);
	if (result == 0) {
		*raw_r = ph_pool_str(object->pool, ph_buf_str(&buf));
		result = raw_r->data ? 0 : PH_E_LIMIT;
	}
	ph_buf_free(&buf);
	return result;
}

int edit_insert_field(struct ph_mime_object *object, size_t position, struct ph_str name, struct ph_str value)
{
	struct ph_str raw;
	int result = begin_change(object);
	if (result == 0)
		result = make_field(object, name, value, &raw);
	if (result == 0)
		insert_raw(object->edits, position, raw);
	return result;
}

int edit_change_field(struct ph_mime_object *object, struct ph_str name, size_t nth, struct ph_str value)
{
	struct ph_str raw;
	int result = begin_change(object);
	if (result == 0)
		result = make_field(object, name, value, &raw);
	for (size_t i = 0; result == 0 && i < object->edits->count; i++)
		if (ph_str_case_eq(name_of(object->edits->fields[i]), name) && --nth == 0) {
			object->edits->fields[i] = raw;
			return 0;
		}
	return result == 0 ? PH_E_ABSENT : result;
}

int edit_remove_field(struct ph_mime_object *object, struct ph_str name, size_t nth)
{
	size_t kept = 0, seen = 0;
	bool removed = false;
	int result = begin_change(object);
	if (result < 0)
		return result;
	struct ph_mime_edits *edits = object->edits;
	for (size_t i = 0; i < edits->count; i++) {
		if (ph_str_case_eq(name_of(edits->fields[i]), name) && (nth == 0 || ++seen == nth))
			removed = true;
		else
			edits->fields[kept++] = edits->fields[i];
	}
	edits->count = kept;
	return removed ? 0 : PH_E_ABSENT;
}

/* --- parts --- */

static int make_leaf(
	struct ph_mime_object *object, const struct ph_mime_new_part *part, struct ph_str *text_r)
{
	struct ph_buf buf;
	ph_buf_init(&buf, PART_MAX);
	int result = build_leaf(part, &buf);
	if (result == 0) {
		*text_r = ph_pool_str(object->pool, ph_buf_str(&buf));
		result = text_r->data ? 0 : PH_E_LIMIT;
	}
	ph_buf_free(&buf);
	return result;
}

static int add_replacement(struct ph_mime_object *object, uint64_t offset, uint64_t end, struct ph_str text)
{
	struct replacement **at = &object->edits->replacements;
	while (*at && (*at)->end <= offset)
		at = &(*at)->next;
	if (*at && (*at)->offset < end)
		return PH_E_INVALID;
	struct replacement *replacement = ph_pool_alloc(object->pool, sizeof *replacement);
	if (!replacement)
		return PH_E_LIMIT;
	*replacement = (struct replacement){ offset, end, text, *at };
	*at = replacement;
	return 0;
}

static bool is_content_field(struct ph_str raw)
{
	return ph_str_case_starts(raw, PH_STR("Content-"));
}

static bool has_version(const struct ph_mime_edits *edits)
{
	for (size_t i = 0; i < edits->count; i++)
		if (ph_str_case_eq(name_of(edits->fields[i]), PH_STR("MIME-Version")))
			return true;
	return false;
}

/* Says what the body is, in place of what said it before. `content` is a part's header and body: the body is
 * returned. */
static struct ph_str set_content(struct ph_mime_edits *edits, struct ph_str content)
{
	struct ph_mime_field field;
	size_t kept = 0;
	for (size_t i = 0; i < edits->count; i++)
		if (!is_content_field(edits->fields[i]))
			edits->fields[kept++] = edits->fields[i];
	edits->count = kept;
	if (!has_version(edits))
		insert_raw(edits, edits->count, PH_STR("MIME-Version: 1.0\r\n"));
	while (header_next(&content, &field))
		insert_raw(edits, edits->count, field.raw);
	return ph_str_slice(content, sizeof "\r\n" - 1, content.len);
}

/* Does a line begin at this offset? 1, 0, or a negative code. */
static int begins_line(const struct ph_mime_object *object, uint64_t offset)
{
	struct ph_str bytes;
	if (offset == 0)
		return 1;
	int result = object->source->view(object->source->arg, offset - 1, &bytes);
	return result < 0 ? result : bytes.len > 0 && bytes.data[0] == '\n';
}

/* 1: right behind the part a line begins, which can only be a boundary: the part has no body. Not where the
 * message ends. */
static int ends_at_line(const struct ph_mime_object *object, const struct ph_mime_part *part)
{
	uint64_t end = ph_mime_body_offset(part);
	return part->body_size > 0 || end == object->message->size ? 0 : begins_line(object, end);
}

/* Puts the lines of a part where another one is, with the line ends that this was without or was ended by. */
static int replace_range(struct ph_mime_object *object, const struct ph_mime_part *part, struct ph_str text)
{
	uint64_t end = ph_mime_body_offset(part) + part->body_size;
	int before = begins_line(object, part->header_offset);
	int behind = ends_at_line(object, part);
	if (before < 0 || behind < 0)
		return before < 0 ? before : behind;
	struct ph_buf lines;
	ph_buf_init(&lines, SIZE_MAX);
	ph_buf_add_text(&lines, before ? "" : "\r\n");
	ph_buf_add_str(&lines, text);
	ph_buf_add_text(&lines, behind ? "\r\n" : "");
	text = ph_pool_str(object->pool, ph_buf_str(&lines));
	ph_buf_free(&lines);
	return text.data ? add_replacement(object, part->header_offset, end, text) : PH_E_LIMIT;
}

/* The part that stands for the whole body of a multipart in which none was found. */
static bool is_missing_part(const struct ph_mime_part *part)
{
	return part->parent && ph_mime_is(part->parent, "multipart", NULL) &&
	       part->header_offset == ph_mime_body_offset(part->parent);
}

int edit_replace_part(struct ph_mime_object *object, const struct ph_mime_part *part,
	const struct ph_mime_new_part *new_part)
{
	struct ph_str text;
	int result = begin_change(object);
	if (result == 0 && ph_mime_is(part, "multipart", NULL))
		result = PH_E_INVALID;
	if (result == 0)
		result = make_leaf(object, new_part, &text);
	if (result < 0)
		return result;
	if (is_missing_part(part))
		part = part->parent;
	if (part->parent && ph_mime_is(part->parent, "message", NULL))
		return PH_E_INVALID;
	if (part->parent)
		return replace_range(object, part, text);
	if (object->edits->replacements)
		return PH_E_INVALID;
	result = add_replacement(object, ph_mime_body_offset(part), object->message->size, text);
	if (result == 0)
		object->edits->replacements->text = set_content(object->edits, text);
	return result;
}

int edit_add_part(struct ph_mime_object *object, const struct ph_mime_new_part *new_part)
{
	struct ph_str text;
	int result = begin_change(object);
	if (result == 0)
		result = make_leaf(object, new_part, &text);
	if (result < 0)
		return result;
	struct added *added = ph_pool_alloc(object->pool, sizeof *added);
	if (!added)
		return PH_E_LIMIT;
	added->text = text;
	*object->edits->added_end = added;
	object->edits->added_end = &added->next;
	return 0;
}

/* --- writing --- */

struct writing {
	const struct ph_mime_object *object;
	const struct ph_mime_sink *sink;
	int result; /* 0, or what has ended it */
};

static void put(struct writing *writing, struct ph_str text)
{
	if (writing->result == 0 && text.len > 0)
		writing->result = writing->sink->write(writing->sink->arg, text);
}

static int put_copied(void *arg, struct ph_str bytes)
{
	struct writing *writing = arg;
	put(writing, bytes);
	return writing->result;
}

static void copy(struct writing *writing, uint64_t offset, uint64_t end)
{
	const struct ph_mime_sink sink = { put_copied, writing };
	if (writing->result != 0 || offset >= end)
		return;
	int result = source_copy(writing->object->source, offset, end - offset, &sink);
	if (writing->result == 0)
		writing->result = result;
}

/* A range of the body, with what replaces parts of it. A replacement at its very end is part of it. */
static void copy_edited(struct writing *writing, uint64_t offset, uint64_t end)
{
	const struct replacement *next = writing->object->edits->replacements;
	for (; next && next->end <= end; next = next->next) {
		if (next->offset < offset)
			continue;
		copy(writing, offset, next->offset);
		put(writing, next->text);
		offset = next->end;
	}
	copy(writing, offset, end);
}

static void put_fields(struct writing *writing, bool content, bool others)
{
	const struct ph_mime_edits *edits = writing->object->edits;
	for (size_t i = 0; i < edits->count; i++)
		if (is_content_field(edits->fields[i]) ? content : others)
			put(writing, edits->fields[i]);
}

static void put_boundary(struct writing *writing, struct ph_str boundary, const char *end)
{
	put(writing, PH_STR("--"));
	put(writing, boundary);
	put(writing, ph_str(end));
}

/* The whole body becomes the first part of a new multipart. */
static void write_wrapped(struct writing *writing)
{
	char bytes[BOUNDARY_LENGTH + 1];
	struct ph_str boundary = boundary_make(bytes);
	const struct ph_mime_object *object = writing->object;
	put_fields(writing, false, true);
	if (!has_version(object->edits))
		put(writing, PH_STR("MIME-Version: 1.0\r\n"));
	put(writing, PH_STR("Content-Type: multipart/mixed; boundary=\""));
	put(writing, boundary);
	put(writing, PH_STR("\"\r\n\r\n"));
	put_boundary(writing, boundary, "\r\n");
	put_fields(writing, true, false);
	put(writing, PH_STR("\r\n"));
	copy_edited(writing, object->header.len, object->message->size);
	for (const struct added *added = object->edits->added; added; added = added->next) {
		put(writing, PH_STR("\r\n"));
		put_boundary(writing, boundary, "\r\n");
		put(writing, added->text);
	}
	put(writing, PH_STR("\r\n"));
	put_boundary(writing, boundary, "--\r\n");
}

/* Would a delimiter with this boundary, behind the part, be taken for one of a multipart within it? */
static bool takes_delimiter(const struct ph_mime_part *part, struct ph_str boundary, struct ph_pool *pool)
{
	struct ph_str inner;
	for (; part; part = part->next)
		if ((ph_mime_is(part, "multipart", NULL) &&
			    params_raw(&part->params, "boundary", pool, &inner) &&
			    ph_str_starts(boundary, inner)) ||
			takes_delimiter(part->children, boundary, pool))
			return true;
	return false;
}

/* The last part of a multipart/mixed behind which others can be put; NULL for any other message. */
static const struct ph_mime_part *last_part(const struct ph_mime_object *object, struct ph_str *boundary_r)
{
	const struct ph_mime_part *root = object->message->root;
	const struct ph_mime_part *last = root->children;
	if (!ph_mime_is(root, "multipart", "mixed") ||
		!params_raw(&root->params, "boundary", object->pool, boundary_r) || is_missing_part(last))
		return NULL;
	while (last->next)
		last = last->next;
	return takes_delimiter(last, *boundary_r, object->pool) ? NULL : last;
}

static void write_behind(struct writing *writing, const struct ph_mime_part *last, struct ph_str boundary)
{
	const struct ph_mime_object *object = writing->object;
	uint64_t end = ph_mime_body_offset(last) + last->body_size;
	int at_line = ends_at_line(object, last);
	if (at_line < 0)
		writing->result = at_line;
	copy_edited(writing, object->header.len, end);
	for (const struct added *added = object->edits->added; added; added = added->next) {
		put(writing, at_line ? PH_STR("") : PH_STR("\r\n"));
		put_boundary(writing, boundary, "\r\n");
		put(writing, added->text);
		put(writing, at_line ? PH_STR("\r\n") : PH_STR(""));
	}
	copy(writing, end, object->message->size);
}

int object_write(const struct ph_mime_object *object, const struct ph_mime_sink *sink)
{
	struct writing writing = { object, sink, 0 };
	const struct ph_mime_edits *edits = object->edits;
	struct ph_str boundary = { NULL, 0 };
	const struct ph_mime_part *last = edits ? last_part(object, &boundary) : NULL;
	if (!edits) {
		copy(&writing, 0, object->message->size);
	} else if (edits->added && !last) {
		write_wrapped(&writing);
	} else {
		put_fields(&writing, true, true);
		put(&writing, PH_STR("\r\n"));
		if (edits->added)
			write_behind(&writing, last, boundary);
		else
			copy_edited(&writing, object->header.len, object->message->size);
	}
	return writing.result < 0 ? writing.result : 0;
}
