/* Says what GMime makes of messages, in the form of mime_dump. */
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

static void print_part(GMimeObject *object, int depth)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	char *name = g_mime_content_type_get_mime_type(type);
	char *lower = g_ascii_strdown(name, -1);
	printf("part %d", depth);
	print_hex(lower, strlen(lower));
	printf(" .");
	g_free(lower);
	g_free(name);
	if (GMIME_IS_MULTIPART(object)) {
		int count = g_mime_multipart_get_count(GMIME_MULTIPART(object));
		puts(count > 0 ? " -" : " .");
		for (int i = 0; i < count; i++)
			print_part(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), depth + 1);
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
		puts(message ? " -" : " .");
		if (message)
			print_part(g_mime_message_get_mime_part(message), depth + 1);
	} else {
		print_body(GMIME_PART(object));
		putchar('\n');
	}
}

static void dump(const char *bytes, size_t size)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes, size);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	if (message && g_mime_message_get_mime_part(message))
		print_part(g_mime_message_get_mime_part(message), 0);
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
