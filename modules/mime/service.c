/* The table of the service "mime/1". */
#include "service.h"

#include "addresses.h"
#include "attachments.h"
#include "binary.h"
#include "build.h"
#include "build_field.h"
#include "date.h"
#include "decode.h"
#include "edit.h"
#include "encode_nul.h"
#include "flowed.h"
#include "header.h"
#include "html.h"
#include "list_field.h"
#include "object.h"
#include "params.h"
#include "parse.h"
#include "report.h"
#include "search.h"
#include "section.h"
#include "sort.h"
#include "summary.h"
#include "text.h"
#include "thread.h"

const struct ph_mime_service mime_service = {
	.message_type = &message_type,
	.parser_new = parser_new,
	.parser_feed = parser_feed,
	.parser_finish = parser_finish,
	.parser_free = parser_free,
	.summary_encode = summary_encode,
	.summary_view = summary_view,
	.summary_decode = summary_decode,
	.section = section_find,
	.header_filter = header_filter,
	.header_next = header_next,
	.header_find = header_find,
	.header_unfold = header_unfold,
	.header_decode = header_decode,
	.date_parse = date_parse,
	.addresses_parse = addresses_parse,
	.message_ids = message_ids,
	.list_id = list_id,
	.list_urls = list_urls,
	.params_parse = params_parse,
	.param = params_get,
	.decoder_init = decoder_init,
	.decoder_feed = decoder_feed,
	.decoder_finish = decoder_finish,
	.text_new = text_new,
	.text_feed = text_feed,
	.text_finish = text_finish,
	.text_free = text_free,
	.search_new = search_new,
	.search_feed = search_feed,
	.search_reset = search_reset,
	.search_free = search_free,
	.text_contains = text_contains,
	.message_contains = message_contains,
	.binary_find = binary_find,
	.binary_size = binary_size,
	.binary_write = binary_write,
	.encode_nul = encode_nul,
	.html_text = html_text,
	.flowed_text = flowed_text,
	.base_subject = base_subject,
	.thread_ids = thread_ids,
	.attachments = attachments_list,
	.date_print = date_print,
	.build_field = build_field,
	.build = build,
	.build_report = build_report,
	.object_write = object_write,
};
