/* What is known of a connection: for protocols, for policies (as the object `session`), and for the log. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <posthorn/log.h>
#include <posthorn/mem.h>

#include "conn_struct.h"
#include "layer_tls.h"
#include "lua_hook.h"

/* --- Its id: seconds, worker and a counter, five bits a character --- */

static unsigned worker_number;

void conn_set_worker(unsigned number)
{
	worker_number = number;
}

static char *put_base32(char *to, uint64_t number, int characters)
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	for (int shift = (characters - 1) * 5; shift >= 0; shift -= 5)
		*to++ = digits[number >> shift & 31];
	return to;
}

void conn_make_id(struct ph_conn *conn)
{
	static uint32_t counter;
	if (counter == 0 && getrandom(&counter, sizeof(counter), GRND_NONBLOCK) < 0)
		counter = (uint32_t)ph_clock_msec();
	char *to = put_base32(conn->id, (uint64_t)ph_clock(), 6);
	to = put_base32(to, worker_number, 2);
	*put_base32(to, counter++, 4) = '\0';
}

/* --- Who it is --- */

const char *ph_conn_id(const struct ph_conn *conn)
{
	return conn->id;
}

const void *ph_conn_listener(const struct ph_conn *conn)
{
	return conn->listener->config->protocol_options;
}

const struct ph_protocol *ph_conn_protocol(const struct ph_conn *conn)
{
	return conn->listener->config->speaks;
}

const struct listener_config *conn_listener_config(const struct ph_conn *conn)
{
	return conn->listener->config;
}

const char *ph_conn_remote_ip(const struct ph_conn *conn)
{
	return conn->remote.ip;
}

int ph_conn_remote_port(const struct ph_conn *conn)
{
	return conn->remote.port;
}

const char *ph_conn_local_ip(const struct ph_conn *conn)
{
	return conn->local.ip;
}

int ph_conn_local_port(const struct ph_conn *conn)
{
	return conn->local.port;
}

bool ph_conn_is_encrypted(const struct ph_conn *conn)
{
	return conn->encrypted;
}

const char *ph_conn_tls_version(const struct ph_conn *conn)
{
	return conn->encrypted ? layer_tls_version(conn->layer) : "";
}

const char *ph_conn_tls_cipher(const struct ph_conn *conn)
{
	return conn->encrypted ? layer_tls_cipher(conn->layer) : "";
}

const char *conn_tls_server_name(const struct ph_conn *conn)
{
	return conn->encrypted ? layer_tls_server_name(conn->layer) : "";
}

bool ph_conn_may_login(const struct ph_conn *conn)
{
	return conn->encrypted || conn->listener->config->plaintext_login;
}

bool ph_conn_can_starttls(const struct ph_conn *conn)
{
	return conn->listener->config->tls == LISTENER_TLS_STARTTLS && !conn->encrypted && tls_available();
}

void **conn_lua_slot(struct ph_conn *conn)
{
	return &conn->lua;
}

void ph_conn_end_transaction(struct ph_conn *conn)
{
	lua_session_end_transaction(conn->lua);
}

/* --- The log --- */

static void fill_log_context(const struct ph_conn *conn, struct ph_log_context *context)
{
	*context = (struct ph_log_context){ .fields = {
						    PH_LOG_TEXT("session", conn->id),
						    PH_LOG_TEXT("protocol", ph_conn_protocol(conn)->name),
						    PH_LOG_TEXT("ip", conn->remote.ip),
					    } };
	if (conn->user)
		context->fields[3] = PH_LOG_TEXT("user", conn->user);
}

void conn_log_begin(struct ph_conn *conn, struct ph_log_context *context)
{
	fill_log_context(conn, context);
	conn->log = context;
	ph_log_set_context(context);
}

/* --- The user and the named attributes --- */

void ph_conn_set_user(struct ph_conn *conn, struct ph_str user)
{
	free(conn->user);
	conn->user = user.len > 0 ? ph_str_dup(user) : NULL;
	if (conn->log)
		fill_log_context(conn, conn->log);
}

struct ph_str ph_conn_user(const struct ph_conn *conn)
{
	return conn->user ? ph_str(conn->user) : PH_STR("");
}

struct attribute {
	struct attribute *next;
	char *value;
	size_t len;
	char name[];
};

static struct attribute *find_attribute(const struct ph_conn *conn, struct ph_str name)
{
	struct attribute *attribute = conn->attributes;
	while (attribute && !ph_str_eq(ph_str(attribute->name), name))
		attribute = attribute->next;
	return attribute;
}

static struct attribute *add_attribute(struct ph_conn *conn, const char *name)
{
	size_t size = strlen(name) + 1;
	struct attribute *attribute = ph_alloc(sizeof(*attribute) + size);
	memcpy(attribute->name, name, size);
	attribute->next = conn->attributes;
	conn->attributes = attribute;
	return attribute;
}

void ph_conn_set_attribute(struct ph_conn *conn, const char *name, struct ph_str value)
{
	struct attribute *attribute = find_attribute(conn, ph_str(name));
	char *copy = ph_str_dup(value);
	if (!attribute)
		attribute = add_attribute(conn, name);
	free(attribute->value);
	attribute->value = copy;
	attribute->len = value.len;
}

struct ph_str ph_conn_attribute(const struct ph_conn *conn, const char *name)
{
	const struct attribute *attribute = find_attribute(conn, ph_str(name));
	return attribute ? (struct ph_str){ attribute->value, attribute->len } : PH_STR("");
}

void conn_free_attributes(struct ph_conn *conn)
{
	while (conn->attributes) {
		struct attribute *next = conn->attributes->next;
		free(conn->attributes->value);
		free(conn->attributes);
		conn->attributes = next;
	}
}

/* --- As an object of policies --- */

static void set_text(const char *text, struct ph_value *value_r)
{
	if (text[0])
		*value_r = PH_VALUE_STR(ph_str(text));
}

static void get_tls_version(void *conn, struct ph_value *value_r)
{
	set_text(ph_conn_tls_version(conn), value_r);
}

static void get_tls_cipher(void *conn, struct ph_value *value_r)
{
	set_text(ph_conn_tls_cipher(conn), value_r);
}

static void get_tls_sni(void *conn, struct ph_value *value_r)
{
	set_text(conn_tls_server_name(conn), value_r);
}

static const struct ph_object_type session_tls_type = {
	.name = "tls",
	.help = "The encryption of a connection.",
	.fields =
		(const struct ph_object_field[]){
			{ "version", PH_STRING, get_tls_version, "such as \"TLSv1.3\"" },
			{ "cipher", PH_STRING, get_tls_cipher, "such as \"TLS_AES_256_GCM_SHA384\"" },
			{ "sni", PH_STRING, get_tls_sni, "the server name the client asked for, or nil" },
			{ 0 },
		},
};

static void get_id(void *conn, struct ph_value *value_r)
{
	set_text(ph_conn_id(conn), value_r);
}

static void get_protocol(void *conn, struct ph_value *value_r)
{
	set_text(ph_conn_protocol(conn)->name, value_r);
}

static void get_listener(void *conn, struct ph_value *value_r)
{
	set_text(conn_listener_config(conn)->name, value_r);
}

static void get_ip(void *conn, struct ph_value *value_r)
{
	set_text(ph_conn_remote_ip(conn), value_r);
}

static void get_port(void *conn, struct ph_value *value_r)
{
	*value_r = PH_VALUE_INT(ph_conn_remote_port(conn));
}

static void get_local_ip(void *conn, struct ph_value *value_r)
{
	set_text(ph_conn_local_ip(conn), value_r);
}

static void get_local_port(void *conn, struct ph_value *value_r)
{
	*value_r = PH_VALUE_INT(ph_conn_local_port(conn));
}

static void get_tls(void *conn, struct ph_value *value_r)
{
	if (ph_conn_is_encrypted(conn))
		*value_r = PH_VALUE_OBJECT(&session_tls_type, conn);
}

static void get_user(void *conn, struct ph_value *value_r)
{
	struct ph_str user = ph_conn_user(conn);
	if (user.len > 0)
		*value_r = PH_VALUE_STR(user);
}

static void get_attribute(void *object, struct ph_str name, struct ph_value *value_r)
{
	const struct attribute *attribute = find_attribute(object, name);
	if (attribute)
		*value_r = PH_VALUE_STR(((struct ph_str){ attribute->value, attribute->len }));
}

const struct ph_object_type ph_session_type = {
	.name = "session",
	.help = "A connection. A protocol adds fields of its own, such as what the client called itself.",
	.fields =
		(const struct ph_object_field[]){
			{ "id", PH_STRING, get_id, "short and unique; in every log line of the connection" },
			{ "protocol", PH_STRING, get_protocol, "the protocol's name" },
			{ "listener", PH_STRING, get_listener, "the listener's name in the configuration" },
			{ "ip", PH_STRING, get_ip, "the client's address; nil on a Unix socket" },
			{ "port", PH_INTEGER, get_port, "the client's port" },
			{ "local_ip", PH_STRING, get_local_ip, "the address the client connected to" },
			{ "local_port", PH_INTEGER, get_local_port, "the port the client connected to" },
			{ "tls", PH_OBJECT, get_tls,
				"version, cipher and sni of the encryption; nil without" },
			{ "user", PH_STRING, get_user, "the account that logged in, or nil" },
			{ 0 },
		},
	.get_other = get_attribute,
};
