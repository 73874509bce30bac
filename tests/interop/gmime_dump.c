/* Says what GMime makes of messages, in the form of mime_dump. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gmime/gmime.h>

enum { MESSAGE_MAX = 64 * 1024 * 1024 };

static void print_hex(const char *text, size_t length)
{
	putchar(' ');
	if (length == 0)
		putchar('.');
	for (size_t i = 0; i < length; i++)
		printf("%02x", (unsigned char)text[i]);
}

static void print_body(GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GByteArray *bytes = g_byte_array_new();
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);
	if (content)
		g_mime_data_wrapper_write_to_stream(content, stream);
	print_hex((const char *)bytes->data, bytes->len);
	g_object_unref(stream);
}

static void print_text(const char *text)
{
	print_hex(text ? text : "", text ? strlen(text) : 0);
}

/* The first field of that name. Puts the beginning of its line. */
static bool find_field(GMimeObject *object, const char *name, const char *title)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(object);
	GMimeHeader *header = g_mime_header_list_get_header(headers, name);
	if (header) {
		printf("%s", title);
		print_text(g_mime_header_get_raw_value(header));
	}
	return header != NULL;
}

static void print_params(GMimeParamList *params)
{
	for (int i = 0; params && i < g_mime_param_list_length(params); i++) {
		GMimeParam *param = g_mime_param_list_get_parameter_at(params, i);
		char *lower = g_ascii_strdown(g_mime_param_get_name(param), -1);
		print_text(lower);
		print_text(g_mime_param_get_value(param));
		g_free(lower);
	}
	putchar('\n');
}

static void print_part_fields(GMimeObject *part)
{
	GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(part);
	if (find_field(part, "Content-Type", "type"))
		print_params(g_mime_content_type_get_parameters(g_mime_object_get_content_type(part)));
	if (find_field(part, "Content-Disposition", "disposition")) {
		const char *value =
			disposition ? g_mime_content_disposition_get_disposition(disposition) : "";
		char *lower = g_ascii_strdown(value ? value : "", -1);
		print_text(lower);
		print_params(disposition ? g_mime_content_disposition_get_parameters(disposition) : NULL);
		g_free(lower);
	}
}

static void print_part(GMimeObject *object, int depth)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	char *name = g_mime_content_type_get_mime_type(type);
	char *lower = g_ascii_strdown(name, -1);
	printf("part %d", depth);
	print_text(lower);
	g_free(lower);
	g_free(name);
	if (GMIME_IS_MULTIPART(object)) {
		int count = g_mime_multipart_get_count(GMIME_MULTIPART(object));
		puts(count > 0 ? " -" : " .");
		print_part_fields(object);
		for (int i = 0; i < count; i++)
			print_part(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), depth + 1);

	} else if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
		puts(message ? " -" : " .");
		print_part_fields(object);
		if (message)
			print_part(g_mime_message_get_mime_part(message), depth + 1);
	} else {
		print_body(GMIME_PART(object));
		putchar('\n');
		print_part_fields(object);
	}
}

static void print_list(InternetAddressList *list)
{
	for (int i = 0; i < internet_address_list_length(list); i++) {
		InternetAddress *address = internet_address_list_get_address(list, i);
		bool is_group = INTERNET_ADDRESS_IS_GROUP(address);
		printf(is_group ? " group" : " mailbox");
		print_text(internet_address_get_name(address));
		if (is_group) {
			printf(" . .");
			print_list(internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)));
			printf(" end . . .");
			continue;
		}
		const char *whole = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
		const char *at = whole ? strrchr(whole, '@') : NULL;
		print_hex(whole ? whole : "", at ? (size_t)(at - whole) : whole ? strlen(whole) : 0);
		print_text(at ? at + 1 : "");
	}
}

static void print_addresses(GMimeMessage *message, const char *name, InternetAddressList *list)
{
	if (!find_field(GMIME_OBJECT(message), name, name))
		return;
	print_list(list);
	putchar('\n');
}

static void print_ids(GMimeMessage *message, const char *name)
{
	GMimeObject *object = GMIME_OBJECT(message);
	if (!find_field(object, name, name))
		return;
	GMimeReferences *ids = g_mime_references_parse(NULL, g_mime_object_get_header(object, name));
	for (int i = 0; i < g_mime_references_length(ids); i++) {
		char *id = g_strdup_printf("<%s>", g_mime_references_get_message_id(ids, i));
		print_text(id);
		g_free(id);
	}
	putchar('\n');
	g_mime_references_free(ids);
}

static void print_message_fields(GMimeMessage *message)
{
	if (find_field(GMIME_OBJECT(message), "Subject", "subject")) {
		print_text(g_mime_message_get_subject(message));
		putchar('\n');
	}
	print_addresses(message, "from", g_mime_message_get_from(message));
	print_addresses(message, "to", g_mime_message_get_to(message));
	print_addresses(message, "cc", g_mime_message_get_cc(message));
	if (find_field(GMIME_OBJECT(message), "Date", "date")) {
		GDateTime *date = g_mime_message_get_date(message);
		if (date)
			printf(" %lld", (long long)g_date_time_to_unix(date));
		putchar('\n');
	}
	print_ids(message, "message-id");
	print_ids(message, "references");
}

static void dump(const char *bytes, size_t size)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes, size);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	if (message && g_mime_message_get_mime_part(message))
		print_part(g_mime_message_get_mime_part(message), 0);
	if (message)
		print_message_fields(message);
	puts("end");
	(void)fflush(stdout);
	if (message)
		g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(stream);
}

int main(void)
{
	unsigned char length[4];
	g_mime_init();
	while (fread(length, 1, sizeof length, stdin) == sizeof length) {
		size_t size = (size_t)length[0] << 24 | (size_t)length[1] << 16 | (size_t)length[2] << 8 |
			      length[3];
		char *bytes = size <= MESSAGE_MAX ? malloc(size + 1) : NULL;
		if (!bytes || fread(bytes, 1, size, stdin) != size)
			return 1;
		dump(bytes, size);
		free(bytes);
	}
	return 0;
}
