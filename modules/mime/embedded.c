/* Files in the text of a message, from before MIME: uuencode (IEEE Std 1003.1, uuencode) and yEnc
 * (yenc-draft 1.3). They are recognised, not decoded: a reader is told that they are there.
 *
 *   begin 644 name              =ybegin line=128 size=123456 name=name
 *   M<lines, each with its length in front>      <lines>
 *   end                         =yend size=123456
 *
 * "begin" may begin a sentence, so the first line behind it must be one that uuencode could have written. */
#include "embedded.h"

static struct ph_str trimmed_line(const struct embedded *embedded)
{
	struct ph_str line = ph_str_of(embedded->line, embedded->length);
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

static void keep_name(struct embedded *embedded, struct ph_str name)
{
	name = ph_str_trim(name);
	memcpy(embedded->name, name.data, name.len);
	embedded->file.name = ph_str_of(embedded->name, name.len);
}

/* "begin", three or four octal digits, a name. */
static bool begins_uuencoded(struct embedded *embedded, struct ph_str line)
{
	if (!ph_str_starts(line, PH_STR("begin ")))
		return false;
	line = ph_str_slice(line, sizeof "begin " - 1, line.len);
	size_t digits = 0;
	while (digits < line.len && line.data[digits] >= '0' && line.data[digits] <= '7')
		digits++;
	if (digits < 3 || digits > 4 || digits + 1 >= line.len || line.data[digits] != ' ')
		return false;
	embedded->file = (struct ph_mime_attachment){ .kind = PH_MIME_UUENCODED };
	keep_name(embedded, ph_str_slice(line, digits + 1, line.len));
	return embedded->file.name.len > 0;
}

/* How many bytes a line of a uuencoded file holds; -1: it is none. Spaces at its end may have been lost. */
static int uuencoded_length(struct ph_str line)
{
	if (line.len == 0)
		return -1;
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] < ' ' || line.data[i] > '`')
			return -1;
	int length = (line.data[0] - ' ') & 63;
	size_t characters = 1 + ((size_t)length + 2) / 3 * 4;
	return line.len <= characters + 1 ? length : -1;
}

static void end_uuencoded(struct embedded *embedded)
{
	if (embedded->state == EMBEDDED_OPEN && !embedded->found(embedded->arg, &embedded->file))
		embedded->found = NULL;
	embedded->state = EMBEDDED_NONE;
}

/* The number behind " size=". */
static uint64_t yenc_size(struct ph_str line)
{
	struct ph_str word;
	uint64_t size = 0;
	while (ph_str_split(&line, ' ', &word))
		if (ph_str_starts(word, PH_STR("size=")))
			ph_str_number(ph_str_slice(word, sizeof "size=" - 1, word.len), UINT64_MAX, &size);
	return size;
}

/* The name is the last thing on the line, and may hold anything. */
static void read_yenc(struct embedded *embedded, struct ph_str line)
{
	static const size_t mark = sizeof " name=" - 1;
	struct ph_str rest = line;
	for (ptrdiff_t at; (at = ph_str_find(rest, ' ')) >= 0;) {
		rest = ph_str_slice(rest, (size_t)at, rest.len);
		if (ph_str_starts(rest, PH_STR(" name="))) {
			line.len -= rest.len;
			embedded->file =
				(struct ph_mime_attachment){ .kind = PH_MIME_YENC, .size = yenc_size(line) };
			keep_name(embedded, ph_str_slice(rest, mark, rest.len));
			if (!embedded->found(embedded->arg, &embedded->file))
				embedded->found = NULL;
			return;
		}
		rest = ph_str_slice(rest, 1, rest.len);
	}
}

static void end_line(struct embedded *embedded)
{
	struct ph_str line = trimmed_line(embedded);
	if (embedded->state != EMBEDDED_NONE) {
		int length = ph_str_eq(line, PH_STR("end")) ? -1 : uuencoded_length(line);
		if (length >= 0) {
			embedded->state = EMBEDDED_OPEN;
			embedded->file.size += (unsigned)length;
			return;
		}
		end_uuencoded(embedded);
	}
	if (!embedded->found)
		return;
	if (begins_uuencoded(embedded, line))
		embedded->state = EMBEDDED_EXPECTED;
	else if (ph_str_starts(line, PH_STR("=ybegin ")))
		read_yenc(embedded, line);
}

void embedded_feed(struct embedded *embedded, struct ph_str piece)
{
	while (piece.len > 0 && embedded->found) {
		ptrdiff_t end = ph_str_find(piece, '\n');
		size_t length = end < 0 ? piece.len : (size_t)end;
		size_t room = sizeof embedded->line - embedded->length;
		memcpy(embedded->line + embedded->length, piece.data, length < room ? length : room);
		embedded->length += length < room ? length : room;
		if (end >= 0) {
			end_line(embedded);
			embedded->length = 0;
			length++;
		}
		piece = ph_str_slice(piece, length, piece.len);
	}
}

void embedded_finish(struct embedded *embedded)
{
	if (embedded->found && embedded->length > 0)
		end_line(embedded);
	if (embedded->found)
		end_uuencoded(embedded);
}
