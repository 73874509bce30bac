/* POP3's parsers. The first byte chooses: a command line with all its ways to read the argument, or a message
 * on its way out, whose dots must come back right when a client takes them off. */
#include <config.h>

#include "../../modules/pop3/parse.h"
#include "../../modules/pop3/transfer.h"

#include <posthorn/buf.h>
#include <posthorn/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_line(struct ph_str line)
{
	struct ph_str name, argument, initial;
	struct parsed_numbers numbers;
	if (!parse_command(line, &name, &argument))
		return;
	parse_numbers(argument, &numbers);
	parse_auth(argument, &name, &initial);
}

/* Sends the message in pieces of `step` bytes. */
static void transfer(struct ph_str message, size_t step, struct top *top, struct ph_buf *out)
{
	struct stuffing stuffing;
	stuffing_init(&stuffing);
	for (size_t offset = 0; offset < message.len && !(top && top->done); offset += step) {
		struct ph_str piece = ph_str_slice(message, offset, offset + step);
		if (top)
			piece.len = top_take(top, piece);
		while (piece.len) {
			bool dot;
			size_t len = stuffing_next(&stuffing, piece, &dot);
			ph_buf_add_str(out, ph_str_slice(piece, 0, len));
			if (dot)
				ph_buf_add_char(out, '.');
			piece = ph_str_slice(piece, len, piece.len);
		}
	}
}

/* What a client has after it took the doubled dots off. */
static bool reads_back(struct ph_str sent, struct ph_str message)
{
	bool line_start = true;
	size_t at = 0;
	for (size_t i = 0; i < sent.len; i++) {
		if (line_start && sent.data[i] == '.' && ++i == sent.len)
			return false;
		if (at == message.len || sent.data[i] != message.data[at++])
			return false;
		line_start = sent.data[i] == '\n';
	}
	return at == message.len;
}

static void fuzz_message(struct ph_str message, uint64_t lines)
{
	struct ph_buf whole, bytewise;
	struct top top, top_bytewise;
	ph_buf_init(&whole, 1 << 24);
	ph_buf_init(&bytewise, 1 << 24);
	transfer(message, message.len, NULL, &whole);
	PH_ASSERT(reads_back(ph_buf_str(&whole), message));
	transfer(message, 1, NULL, &bytewise);
	PH_ASSERT(ph_str_eq(ph_buf_str(&whole), ph_buf_str(&bytewise)));
	ph_buf_reset(&whole);
	ph_buf_reset(&bytewise);
	top_init(&top, lines);
	top_init(&top_bytewise, lines);
	transfer(message, message.len, &top, &whole);
	transfer(message, 1, &top_bytewise, &bytewise);
	PH_ASSERT(ph_str_eq(ph_buf_str(&whole), ph_buf_str(&bytewise)));
	ph_buf_free(&whole);
	ph_buf_free(&bytewise);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct ph_str rest = ph_str_of(data + 1, size - 1);
	if (data[0] & 0x80)
		fuzz_line(rest);
	else
		fuzz_message(rest, data[0]);
	return 0;
}
