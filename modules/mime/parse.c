/* The parser. It goes over the message line by line, once. At any time one part is open, innermost in a chain
 * of parts that it lies in; a line can end a header (a blank one), or be the boundary of any multipart in the
 * chain and end all parts inside of that. Everything else is counted and passed over.
 *
 * A line that is whole in one piece is looked at where it lies; only lines cut by the end of a piece are put
 * together, and of those only the beginning, which tells a boundary. Header lines are gathered, as their
 * fields are read when the header is complete. Once no boundary is left to wait for, lines are merely
 * counted. */
#include <config.h>

#include "parse.h"

#include <stdlib.h>

#include "entity.h"
#include "preview.h"
#include "structure.h"

enum {
	LINE_KEPT = 1024,    /* of a line cut by the end of a piece */
	BOUNDARY_MAX = 1000, /* RFC 2046 allows 70 */
	STRUCTURE_USUAL = 1024,
	HEADER_USUAL = 4096,
	NESTING_MAX = 500, /* whatever the limits say: the tree is walked recursively */
};

struct ph_mime_parser {
	struct ph_mime_limits limits;
	struct ph_pool *pool;
	struct ph_pool *scratch;
	struct ph_mime_message message;
	struct preview preview;
	struct entity *open;
	bool in_header;
	struct ph_buf header;     /* of the open part */
	size_t header_line;       /* where its last line begins in `header` */
	size_t header_bytes_left; /* of limits.header_bytes */
	unsigned parts;
	unsigned boundaries; /* listened for */
	uint64_t offset;
	uint64_t lines;  /* line feeds so far */
	size_t last_end; /* length of the last line's end: 1 or 2 */
	/* The line that a piece ended in. */
	uint64_t line_length;
	char last_byte;
	size_t kept;
	char line[LINE_KEPT];
};

/* A part begins at `offset`, where `lines` lines have gone by. */
static void open_part(struct ph_mime_parser *parser, struct entity *parent, uint64_t offset, uint64_t lines)
{
	struct entity *entity = ph_pool_alloc(parser->pool, sizeof *entity);
	if (parent) {
		entity->depth = parent->depth + 1;
		entity->part.parent = &parent->part;
		if (parent->last_child)
			parent->last_child->part.next = &entity->part;
		else
			parent->part.children = &entity->part;
		parent->last_child = entity;
	}
	entity->is_message = !parent || ph_mime_is(&parent->part, "message", NULL);
	entity->part.header_offset = offset;
	entity->lines_before = lines;
	parser->parts++;
	parser->open = entity;
	parser->in_header = true;
	parser->header.len = 0;
	parser->header_line = 0;
}

struct ph_mime_parser *parser_new(const struct ph_mime_limits *limits)
{
	struct ph_mime_parser *parser = ph_alloc(sizeof *parser);
	parser->limits = limits ? *limits : (struct ph_mime_limits)PH_MIME_LIMITS;
	if (parser->limits.nesting > NESTING_MAX)
		parser->limits.nesting = NESTING_MAX;
	parser->pool = ph_pool_new(0);
	parser->scratch = ph_pool_new(0);
	parser->header_bytes_left = parser->limits.header_bytes;
	ph_buf_init(&parser->header, parser->limits.header_bytes);
	if (parser->limits.header_bytes >= HEADER_USUAL)
		ph_buf_reserve(&parser->header, HEADER_USUAL);
	preview_init(&parser->preview);
	open_part(parser, NULL, 0, 0);
	return parser;
}

void parser_free(struct ph_mime_parser **parser)
{
	if (!*parser)
		return;
	ph_buf_free(&(*parser)->header);
	preview_free(&(*parser)->preview);
	ph_pool_free(&(*parser)->scratch);
	ph_pool_free(&(*parser)->pool);
	free(*parser);
	*parser = NULL;
}

/* --- parts --- */

/* The header was read: looks into a multipart or a message, if it can be and the limits let it. */
static void begin_body(struct ph_mime_parser *parser, struct entity *entity, uint64_t offset, uint64_t lines)
{
	struct ph_mime_part *part = &entity->part;
	bool room = entity->depth < parser->limits.nesting && parser->parts < parser->limits.parts;
	bool encoded = part->encoding == PH_MIME_BASE64 || part->encoding == PH_MIME_QUOTED_PRINTABLE;
	if (ph_mime_is(part, "multipart", NULL)) {
		if (!room)
			entity_make_opaque(entity);
		else if (entity->boundary.len > 0 && entity->boundary.len <= BOUNDARY_MAX) {
			entity->is_listening = true;
			parser->boundaries++;
		}
	} else if (ph_mime_is(part, "message", "rfc822")) {
		if (!room || encoded)
			entity_make_opaque(entity);
		else
			open_part(parser, entity, offset, lines);
	} else {
		preview_begin(&parser->preview, part);
	}
}

/* The open part's header ends at `offset`, where `lines` lines have gone by. */
static void end_header(struct ph_mime_parser *parser, uint64_t offset, uint64_t lines)
{
	struct entity *entity = parser->open;
	bool is_root = !entity->part.parent;
	struct ph_str header = ph_buf_str(&parser->header);
	parser->in_header = false;
	entity->part.header_size = offset - entity->part.header_offset;
	entity->part.header_lines = (uint32_t)(lines - entity->lines_before);
	entity->lines_before = lines;
	if (is_root)
		header = parser->message.header = ph_pool_str(parser->pool, header);
	entity_read_header(entity, header, &parser->limits, parser->pool, parser->scratch,
		is_root ? &parser->message : NULL);
	begin_body(parser, entity, offset, lines);
}

/* A multipart in which no part was found has one: all of its body, as plain text. */
static void add_missing_part(struct ph_mime_parser *parser, struct entity *multipart)
{
	struct entity *child = ph_pool_alloc(parser->pool, sizeof *child);
	child->part = (struct ph_mime_part){
		.parent = &multipart->part,
		.type = PH_STR_INIT("text"),
		.subtype = PH_STR_INIT("plain"),
		.header_offset = ph_mime_body_offset(&multipart->part),
		.body_size = multipart->part.body_size,
		.body_lines = multipart->part.body_lines,
	};
	multipart->part.children = &child->part;
	parser->parts++;
}

static void end_part(struct ph_mime_parser *parser, struct entity *entity, uint64_t end, uint64_t lines)
{
	entity->part.body_size = end - ph_mime_body_offset(&entity->part);
	entity->part.body_lines = (uint32_t)(lines - entity->lines_before);
	preview_end(&parser->preview, &entity->part, parser->pool);
	if (entity->is_listening)
		parser->boundaries--;
	if (ph_mime_is(&entity->part, "multipart", NULL) && !entity->part.children)
		add_missing_part(parser, entity);
}

/* Ends all open parts inside of `outer` (NULL: and the message itself) before a line that begins at `end`.
 * The line end before a boundary is `line_end` bytes long; it belongs to the boundary. */
static void end_parts(
	struct ph_mime_parser *parser, struct entity *outer, uint64_t end, uint64_t lines, size_t line_end)
{
	/* A boundary within the header: there is no body, and a message in the part is empty. */
	bool has_body = !parser->in_header;
	while (parser->in_header)
		end_header(parser, end, lines);
	if (has_body && line_end > 0 && parser->open != outer &&
		end > ph_mime_body_offset(&parser->open->part)) {
		end -= line_end;
		lines--;
	}
	for (; parser->open != outer; parser->open = entity_parent(parser->open))
		end_part(parser, parser->open, end, lines);
}

/* --- lines --- */

/* RFC 2046, 5.1.1: a line that begins with "--" and a boundary, whatever follows; of several the longest
 * counts, as one may begin another, and of equal ones the innermost. */
static struct entity *boundary_owner(const struct ph_mime_parser *parser, struct ph_str line)
{
	struct entity *found = NULL;
	line = ph_str_slice(line, 2, line.len);
	for (struct entity *entity = parser->open; entity; entity = entity_parent(entity))
		if (entity->is_listening && (!found || entity->boundary.len > found->boundary.len) &&
			ph_str_starts(line, entity->boundary))
			found = entity;
	return found;
}

static void meet_boundary(struct ph_mime_parser *parser, struct entity *owner, struct ph_str line,
	uint64_t begin, uint64_t lines)
{
	if (parser->in_header)
		parser->header.len = parser->header_line;
	end_parts(parser, owner, begin, lines, parser->last_end);
	struct ph_str rest = ph_str_slice(line, 2 + owner->boundary.len, line.len);
	if (ph_str_starts(rest, PH_STR("--"))) {
		owner->is_listening = false;
		parser->boundaries--;
	} else if (parser->parts < parser->limits.parts) {
		open_part(parser, owner, parser->offset, parser->lines);
	}
}

/* A line has ended (or the message in it): `line` is its beginning, line_length its length with the line end,
 * which is `line_end` bytes long. */
static void end_line(struct ph_mime_parser *parser, struct ph_str line, size_t line_end)
{
	struct entity *owner = NULL;
	if (parser->boundaries > 0 && ph_str_starts(line, PH_STR("--")))
		owner = boundary_owner(parser, line);
	if (owner) {
		meet_boundary(parser, owner, line, parser->offset - parser->line_length,
			parser->lines - (line_end > 0));
	} else if (parser->in_header) {
		parser->header_line = parser->header.len;
		if (parser->line_length == line_end)
			end_header(parser, parser->offset, parser->lines);
	}
	parser->last_end = line_end;
	parser->line_length = 0;
	parser->kept = 0;
}

static void gather_header(struct ph_mime_parser *parser, const char *bytes, size_t length)
{
	if (length > parser->header_bytes_left)
		length = parser->header_bytes_left;
	parser->header_bytes_left -= length;
	ph_buf_add(&parser->header, bytes, length);
}

/* Takes one line, or the rest of the piece. Returns where it ends. */
static const char *take_line(struct ph_mime_parser *parser, const char *at, const char *end)
{
	const char *feed = memchr(at, '\n', (size_t)(end - at));
	size_t length = (size_t)((feed ? feed + 1 : end) - at);
	struct ph_str line = ph_str_of(at, length);
	if (parser->in_header)
		gather_header(parser, at, length);
	else
		preview_take(&parser->preview, at, length);
	if (!feed || parser->line_length > 0) {
		size_t kept = length < LINE_KEPT - parser->kept ? length : LINE_KEPT - parser->kept;
		memcpy(parser->line + parser->kept, at, kept);
		parser->kept += kept;
		line = ph_str_of(parser->line, parser->kept);
	}
	parser->offset += length;
	parser->line_length += length;
	if (feed) {
		char before = length > 1 ? feed[-1] : parser->line_length > 1 ? parser->last_byte : 0;
		parser->lines++;
		end_line(parser, line, before == '\r' ? 2 : 1);
	} else {
		parser->last_byte = at[length - 1];
	}
	return at + length;
}

/* --- bodies --- */

enum { BLOCK = 128 }; /* at most 255 lines */

struct block {
	unsigned char lines;  /* line feeds */
	unsigned char dashes; /* not 0: one is followed by a dash */
};

/* Looks at a block and the byte behind it. Without a branch, over a fixed number of bytes: compilers make
 * vector instructions of it. */
static inline struct block scan_block(const char *bytes)
{
	struct block block = { 0, 0 };
	for (size_t i = 0; i < BLOCK; i++) {
		unsigned char feed = bytes[i] == '\n';
		block.lines = (unsigned char)(block.lines + feed);
		block.dashes |= (unsigned char)(feed & (bytes[i + 1] == '-'));
	}
	return block;
}

static uint64_t count_lines(const char *at, const char *end)
{
	uint64_t lines = 0;
	for (; end - at > BLOCK; at += BLOCK)
		lines += scan_block(at).lines;
	for (; at < end; at++)
		lines += *at == '\n';
	return lines;
}

/* Passes over blocks in which no line begins with a dash, and counts the line feeds in them. Returns the
 * beginning of the line that the last one ends in. */
static const char *pass_blocks(const char *begin, const char *end, uint64_t *lines)
{
	const char *at = begin;
	for (; end - at > BLOCK; at += BLOCK) {
		struct block block = scan_block(at);
		if (block.dashes)
			break;
		*lines += block.lines;
	}
	const char *feed = memrchr(begin, '\n', (size_t)(at - begin));
	return feed ? feed + 1 : begin;
}

/* Passes over whole lines of a body that cannot be boundaries. Returns the beginning of one that might be, or
 * is not complete. */
static const char *pass_lines(struct ph_mime_parser *parser, const char *at, const char *end)
{
	const char *begin = at;
	const char *feed;
	if (*at == '-')
		return at;
	at = pass_blocks(at, end, &parser->lines);
	while (at < end && *at != '-' && (feed = memchr(at, '\n', (size_t)(end - at)))) {
		parser->lines++;
		at = feed + 1;
	}
	if (at > begin)
		parser->last_end = at - begin > 1 && at[-2] == '\r' ? 2 : 1;
	preview_take(&parser->preview, begin, (size_t)(at - begin));
	parser->offset += (uint64_t)(at - begin);
	return at;
}

void parser_feed(struct ph_mime_parser *parser, struct ph_str piece)
{
	if (piece.len == 0)
		return;
	const char *at = piece.data;
	const char *end = at + piece.len;
	while (at < end) {
		if (!parser->in_header && parser->boundaries == 0) {
			preview_take(&parser->preview, at, (size_t)(end - at));
			parser->lines += count_lines(at, end);
			parser->offset += (uint64_t)(end - at);
			return;
		}
		if (!parser->in_header && parser->line_length == 0)
			at = pass_lines(parser, at, end);
		if (at < end)
			at = take_line(parser, at, end);
	}
}

const struct ph_mime_message *parser_finish(struct ph_mime_parser *parser)
{
	struct ph_mime_message *message = &parser->message;
	struct ph_buf *buf = &parser->header;
	if (parser->line_length > 0)
		end_line(parser, ph_str_of(parser->line, parser->kept), 0);
	struct entity *root = parser->open;
	while (entity_parent(root))
		root = entity_parent(root);
	end_parts(parser, NULL, parser->offset, parser->lines, 0);
	message->size = parser->offset;
	message->root = &root->part;
	message->envelope = root->part.envelope;
	message->preview = parser->preview.text;
	ph_buf_free(buf);
	ph_buf_init(buf, SIZE_MAX);
	ph_buf_reserve(buf, STRUCTURE_USUAL);
	structure_add(buf, message->root, false);
	message->body = ph_pool_str(parser->pool, ph_buf_str(buf));
	buf->len = 0;
	structure_add(buf, message->root, true);
	message->bodystructure = ph_pool_str(parser->pool, ph_buf_str(buf));
	ph_buf_free(buf);
	return message;
}
