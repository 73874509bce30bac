/* From a header to a part: what the fields of one entity say. Only fields that matter are picked up; where
 * one that should be there once occurs several times, the first counts, but address lists are joined (RFC
 * 7103, 7.5.1). */
#include "entity.h"

#include "addresses.h"
#include "date.h"
#include "envelope.h"
#include "header.h"
#include "params.h"
#include "sort.h"

/* The fields picked up, and how many in one header: enough for each of them once, and for repeated address
 * fields. */
enum { PICKED_MAX = 200 };

static const struct ph_str field_names[FIELD_COUNT] = {
	[FIELD_CONTENT_TYPE] = PH_STR_INIT("content-type"),
	[FIELD_CONTENT_ENCODING] = PH_STR_INIT("content-transfer-encoding"),
	[FIELD_CONTENT_ID] = PH_STR_INIT("content-id"),
	[FIELD_CONTENT_DESCRIPTION] = PH_STR_INIT("content-description"),
	[FIELD_CONTENT_DISPOSITION] = PH_STR_INIT("content-disposition"),
	[FIELD_CONTENT_LANGUAGE] = PH_STR_INIT("content-language"),
	[FIELD_CONTENT_LOCATION] = PH_STR_INIT("content-location"),
	[FIELD_CONTENT_MD5] = PH_STR_INIT("content-md5"),
	[FIELD_DATE] = PH_STR_INIT("date"),
	[FIELD_SUBJECT] = PH_STR_INIT("subject"),
	[FIELD_FROM] = PH_STR_INIT("from"),
	[FIELD_SENDER] = PH_STR_INIT("sender"),
	[FIELD_REPLY_TO] = PH_STR_INIT("reply-to"),
	[FIELD_TO] = PH_STR_INIT("to"),
	[FIELD_CC] = PH_STR_INIT("cc"),
	[FIELD_BCC] = PH_STR_INIT("bcc"),
	[FIELD_IN_REPLY_TO] = PH_STR_INIT("in-reply-to"),
	[FIELD_MESSAGE_ID] = PH_STR_INIT("message-id"),
	[FIELD_REFERENCES] = PH_STR_INIT("references"),
};

struct picked {
	struct {
		enum header_field field;
		struct ph_str value;
	} items[PICKED_MAX];
	size_t count;
	bool seen[FIELD_COUNT];
};

static bool is_address_field(enum header_field field)
{
	return field >= FIELD_FROM && field <= FIELD_BCC;
}

static enum header_field field_of(struct ph_str name, bool is_message)
{
	int last = is_message ? FIELD_COUNT : FIELD_DATE;
	for (int field = 0; field < last; field++)
		if (name.len == field_names[field].len && ph_str_case_starts(name, field_names[field]))
			return (enum header_field)field;
	return FIELD_COUNT;
}

static void pick(struct ph_str header, bool is_message, struct picked *picked)
{
	struct ph_mime_field field;
	while (header_next(&header, &field) && picked->count < PICKED_MAX) {
		enum header_field which = field_of(field.name, is_message);
		if (which == FIELD_COUNT || (picked->seen[which] && !is_address_field(which)))
			continue;
		picked->seen[which] = true;
		picked->items[picked->count].field = which;
		picked->items[picked->count++].value = ph_str_trim(field.value);
	}
}

/* All values of a field with ", " between. */
static struct ph_str joined(const struct picked *picked, enum header_field field, struct ph_pool *pool)
{
	size_t length = 0, count = 0;
	struct ph_str only = { NULL, 0 };
	for (size_t i = 0; i < picked->count; i++) {
		if (picked->items[i].field != field)
			continue;
		only = picked->items[i].value;
		length += only.len + 2;
		count++;
	}
	if (count < 2)
		return only;
	char *text = ph_pool_alloc(pool, length);
	length = 0;
	for (size_t i = 0; text && i < picked->count; i++) {
		if (picked->items[i].field != field)
			continue;
		if (length > 0) {
			text[length++] = ',';
			text[length++] = ' ';
		}
		memcpy(text + length, picked->items[i].value.data, picked->items[i].value.len);
		length += picked->items[i].value.len;
	}
	return ph_str_of(text, length);
}

static void set_type(struct ph_mime_part *part, struct ph_str type, struct ph_str subtype)
{
	part->type = type;
	part->subtype = subtype;
}

static bool is_token(struct ph_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] <= ' ' || (unsigned char)text.data[i] >= 127 ||
			strchr("()<>@,;:\\\"/[]?=", text.data[i]))
			return false;
	return text.len > 0;
}

/* RFC 2045, 5.2: a type that cannot be read counts as none. */
static void read_type(struct entity *entity, struct ph_str value, size_t max, struct ph_pool *pool)
{
	struct ph_mime_part *part = &entity->part;
	struct ph_str type;
	struct ph_mime_params params;
	params_parse(value, max, pool, &type, &params);
	ptrdiff_t slash = ph_str_find(type, '/');
	if (slash < 0)
		return;
	struct ph_str major = ph_str_slice(type, 0, (size_t)slash);
	struct ph_str minor = ph_str_slice(type, (size_t)slash + 1, type.len);
	if (!is_token(major) || !is_token(minor))
		return;
	set_type(part, major, minor);
	part->params = params;
	params_raw(&part->params, "charset", pool, &part->charset);
	if (ph_mime_is(part, "multipart", NULL))
		params_raw(&part->params, "boundary", pool, &entity->boundary);
}

static void read_encoding(struct ph_mime_part *part, struct ph_str value, struct ph_pool *pool)
{
	struct ph_mime_params ignored;
	params_parse(value, 0, pool, &part->encoding_name, &ignored);
	if (part->encoding_name.len == 0 || ph_str_eq(part->encoding_name, PH_STR("7bit")) ||
		ph_str_eq(part->encoding_name, PH_STR("8bit")) ||
		ph_str_eq(part->encoding_name, PH_STR("binary")))
		part->encoding = PH_MIME_IDENTITY;
	else if (ph_str_eq(part->encoding_name, PH_STR("base64")))
		part->encoding = PH_MIME_BASE64;
	else if (ph_str_eq(part->encoding_name, PH_STR("quoted-printable")))
		part->encoding = PH_MIME_QUOTED_PRINTABLE;
	else
		part->encoding = PH_MIME_UNKNOWN;
}

/* Language tags with commas between (RFC 3282). */
static void read_languages(struct ph_mime_part *part, struct ph_str value, size_t max, struct ph_pool *pool)
{
	struct ph_str text = header_unfold(value, pool);
	struct ph_str piece, rest = text;
	size_t count = 1;
	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == ',';
	struct ph_str *languages = ph_pool_array(pool, count < max ? count : max, sizeof *languages);
	count = 0;
	while (languages && count < max && ph_str_split(&rest, ',', &piece)) {
		piece = ph_str_trim(piece);
		if (piece.len > 0)
			languages[count++] = piece;
	}
	part->languages = languages;
	part->language_count = count;
}

static void read_filename(struct ph_mime_part *part, struct ph_pool *pool)
{
	if (!params_get(&part->disposition_params, "filename", pool, &part->filename))
		params_get(&part->params, "name", pool, &part->filename);
}

static void read_content_fields(
	struct entity *entity, const struct picked *picked, size_t max, struct ph_pool *pool)
{
	struct ph_mime_part *part = &entity->part;
	for (size_t i = 0; i < picked->count; i++) {
		struct ph_str value = picked->items[i].value;
		switch (picked->items[i].field) {
		case FIELD_CONTENT_TYPE:
			read_type(entity, value, max, pool);
			break;
		case FIELD_CONTENT_ENCODING:
			read_encoding(part, value, pool);
			break;
		case FIELD_CONTENT_ID:
			part->id = header_unfold(value, pool);
			break;
		case FIELD_CONTENT_DESCRIPTION:
			part->description = header_unfold(value, pool);
			break;
		case FIELD_CONTENT_DISPOSITION:
			params_parse(value, max, pool, &part->disposition, &part->disposition_params);
			break;
		case FIELD_CONTENT_LANGUAGE:
			read_languages(part, value, max, pool);
			break;
		case FIELD_CONTENT_LOCATION:
			part->location = header_unfold(value, pool);
			break;
		case FIELD_CONTENT_MD5:
			part->md5 = header_unfold(value, pool);
			break;
		default:
			break;
		}
	}
	read_filename(part, pool);
}

static void read_addresses(const struct ph_str values[FIELD_COUNT], size_t max, struct ph_pool *scratch,
	struct address_list lists_r[FIELD_COUNT])
{
	for (int field = FIELD_FROM; field <= FIELD_BCC; field++) {
		struct address_list *list = &lists_r[field];
		list->count =
			values[field].len ? addresses_parse(values[field], max, scratch, &list->items) : 0;
		max -= list->count;
	}
}

static void read_message_fields(const struct ph_str values[FIELD_COUNT],
	const struct address_list lists[FIELD_COUNT], struct ph_pool *pool, struct ph_mime_message *message)
{
	message->date = date_parse(values[FIELD_DATE]);
	message->subject = header_decode(values[FIELD_SUBJECT], pool);
	message->from = header_decode(values[FIELD_FROM], pool);
	message->to = header_decode(values[FIELD_TO], pool);
	message->cc = header_decode(values[FIELD_CC], pool);
	message->bcc = header_decode(values[FIELD_BCC], pool);
	message->message_id = message_ids(values[FIELD_MESSAGE_ID], pool);
	message->in_reply_to = message_ids(values[FIELD_IN_REPLY_TO], pool);
	message->references = message_ids(values[FIELD_REFERENCES], pool);
	sort_keys(&lists[FIELD_FROM], pool, &message->sort_from, &message->display_from);
	sort_keys(&lists[FIELD_TO], pool, &message->sort_to, &message->display_to);
	sort_keys(&lists[FIELD_CC], pool, &message->sort_cc, &(struct ph_str){ NULL, 0 });
}

static void set_default_type(struct entity *entity)
{
	struct entity *parent = entity_parent(entity);
	if (parent && ph_mime_is(&parent->part, "multipart", "digest"))
		set_type(&entity->part, PH_STR("message"), PH_STR("rfc822"));
	else
		set_type(&entity->part, PH_STR("text"), PH_STR("plain"));
}

void entity_make_opaque(struct entity *entity)
{
	set_type(&entity->part, PH_STR("application"), PH_STR("octet-stream"));
	entity->part.charset = (struct ph_str){ NULL, 0 };
}

void entity_read_header(struct entity *entity, struct ph_str header, const struct ph_mime_limits *limits,
	struct ph_pool *pool, struct ph_pool *scratch, struct ph_mime_message *message)
{
	struct picked picked;
	struct ph_str values[FIELD_COUNT];
	struct address_list lists[FIELD_COUNT];
	picked.count = 0;
	memset(picked.seen, 0, sizeof picked.seen);
	set_default_type(entity);
	pick(header, entity->is_message, &picked);
	read_content_fields(entity, &picked, limits->parameters, pool);
	if (entity->is_message) {
		for (int field = 0; field < FIELD_COUNT; field++)
			values[field] = joined(&picked, (enum header_field)field, scratch);
		read_addresses(values, limits->addresses, scratch, lists);
		entity->part.envelope = envelope_make(values, lists, pool, scratch);
		if (message)
			read_message_fields(values, lists, pool, message);
	}
	ph_pool_clear(scratch);
}
