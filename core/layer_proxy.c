/* The PROXY protocol's header. Section numbers are those of HAProxy's proxy-protocol.txt. */
#include <config.h>

#include "layer_proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <posthorn/loop.h>

static const struct ph_str version_1_start = PH_STR_INIT("PROXY ");
static const struct ph_str version_2_start = PH_STR_INIT("\r\n\r\n\0\r\nQUIT\n");

enum { VERSION_1_MAX = 107, VERSION_2_FIXED = 16 };

static bool begins_like(struct ph_str bytes, struct ph_str start)
{
	return ph_str_starts(bytes, ph_str_slice(start, 0, bytes.len));
}

/* --- Version 1: one line of text (2.1) --- */

static bool take_word(struct ph_str *rest, struct ph_str *word_r)
{
	return ph_str_split(rest, ' ', word_r) && word_r->len > 0;
}

static bool take_ip(struct ph_str *rest, int family, struct endpoint *endpoint_r)
{
	struct ph_str word;
	unsigned char bytes[16];
	char text[INET6_ADDRSTRLEN];
	if (!take_word(rest, &word) || word.len >= sizeof(text))
		return false;
	memcpy(text, word.data, word.len);
	text[word.len] = '\0';
	if (strlen(text) != word.len || inet_pton(family, text, bytes) != 1)
		return false;
	endpoint_from_bytes(family, bytes, 0, endpoint_r);
	return true;
}

static bool take_port(struct ph_str *rest, struct endpoint *endpoint)
{
	struct ph_str word;
	uint64_t port;
	if (!take_word(rest, &word) || !ph_str_number(word, 65535, &port))
		return false;
	endpoint->port = (uint16_t)port;
	return true;
}

static bool parse_words(struct ph_str rest, struct proxy_header *header_r)
{
	struct ph_str family;
	if (!take_word(&rest, &family))
		return false;
	if (ph_str_eq(family, PH_STR("UNKNOWN")))
		return true;
	int number = ph_str_eq(family, PH_STR("TCP4")) ? AF_INET : AF_INET6;
	if (number == AF_INET6 && !ph_str_eq(family, PH_STR("TCP6")))
		return false;
	header_r->known = take_ip(&rest, number, &header_r->remote) &&
			  take_ip(&rest, number, &header_r->local) && take_port(&rest, &header_r->remote) &&
			  take_port(&rest, &header_r->local) && !rest.data;
	return header_r->known;
}

static int parse_version_1(struct ph_str bytes, struct proxy_header *header_r)
{
	struct ph_str line = ph_str_slice(bytes, 0, VERSION_1_MAX);
	ptrdiff_t end = ph_str_find(line, '\n');
	if (end < 0)
		return bytes.len < VERSION_1_MAX ? 0 : PH_E_INVALID;
	if (line.data[end - 1] != '\r')
		return PH_E_INVALID;
	struct ph_str words = ph_str_slice(line, version_1_start.len, (size_t)end - 1);
	return parse_words(words, header_r) ? (int)end + 1 : PH_E_INVALID;
}

/* --- Version 2: binary (2.2) --- */

static uint16_t number16(const char *data)
{
	return (uint16_t)((unsigned char)data[0] << 8 | (unsigned char)data[1]);
}

/* Two addresses, then two ports. */
static bool parse_addresses(struct ph_str data, int family, size_t size, struct proxy_header *header_r)
{
	if (data.len < 2 * size + 4)
		return false;
	endpoint_from_bytes(family, data.data, number16(data.data + 2 * size), &header_r->remote);
	endpoint_from_bytes(family, data.data + size, number16(data.data + 2 * size + 2), &header_r->local);
	header_r->known = true;
	return true;
}

static int parse_version_2(struct ph_str bytes, struct proxy_header *header_r)
{
	if (bytes.len < VERSION_2_FIXED)
		return 0;
	size_t len = VERSION_2_FIXED + (size_t)number16(bytes.data + 14);
	unsigned char version_and_command = (unsigned char)bytes.data[12];
	unsigned char family = (unsigned char)bytes.data[13];
	if (len > PROXY_HEADER_MAX || version_and_command >> 4 != 2 || (version_and_command & 15) > 1)
		return PH_E_INVALID;
	if (bytes.len < len)
		return 0;
	struct ph_str data = ph_str_slice(bytes, VERSION_2_FIXED, len);
	bool is_proxied = (version_and_command & 15) == 1;
	bool good = true;
	if (is_proxied && family == 0x11)
		good = parse_addresses(data, AF_INET, 4, header_r);
	else if (is_proxied && family == 0x21)
		good = parse_addresses(data, AF_INET6, 16, header_r);
	return good ? (int)len : PH_E_INVALID;
}

int proxy_parse(struct ph_str bytes, struct proxy_header *header_r)
{
	*header_r = (struct proxy_header){ .known = false };
	if (bytes.len == 0)
		return 0;
	if (begins_like(bytes, version_1_start))
		return bytes.len < version_1_start.len ? 0 : parse_version_1(bytes, header_r);
	if (begins_like(bytes, version_2_start))
		return parse_version_2(bytes, header_r);
	return PH_E_INVALID;
}

/* Looks at what is there, and takes only what surely belongs to the header. */
int proxy_receive(int fd, ph_msec deadline, struct proxy_header *header_r)
{
	char data[PROXY_HEADER_MAX];
	size_t len = 0;
	for (;;) {
		ssize_t seen = recv(fd, data + len, sizeof(data) - len, MSG_PEEK);
		if (seen < 0 && (errno == EAGAIN || errno == EINTR)) {
			int result = ph_io_wait(fd, PH_READABLE, deadline);
			if (result < 0)
				return result;
			continue;
		}
		if (seen <= 0)
			return PH_E_CLOSED;
		int whole = proxy_parse((struct ph_str){ data, len + (size_t)seen }, header_r);
		if (whole < 0)
			return whole;
		size_t take = whole ? (size_t)whole - len : (size_t)seen;
		if (recv(fd, data + len, take, 0) != (ssize_t)take)
			return PH_E_CLOSED;
		len += take;
		if (whole)
			return PH_OK;
	}
}
