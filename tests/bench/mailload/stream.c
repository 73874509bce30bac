#include <config.h>

#include "stream.h"

#include <errno.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tools.h"

static SSL_CTX *tls_context;

static SSL_CTX *context(void)
{
	if (tls_context)
		return tls_context;
	tls_context = SSL_CTX_new(TLS_client_method());
	if (!tls_context)
		give_up("no TLS");
	SSL_CTX_set_mode(tls_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return tls_context;
}

void stream_begin(struct connection *connection)
{
	if (!connection->endpoint->tls)
		return;
	connection->tls = SSL_new(context());
	if (!connection->tls || !SSL_set_fd(connection->tls, connection->fd))
		give_up("no TLS");
	SSL_set_connect_state(connection->tls);
}

static ssize_t tls_result(struct connection *connection, int result)
{
	if (result > 0)
		return result;
	switch (SSL_get_error(connection->tls, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return STREAM_WAITS;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		return STREAM_FAILED;
	}
}

static ssize_t plain_result(ssize_t result)
{
	if (result >= 0)
		return result;
	return errno == EAGAIN || errno == EINTR ? STREAM_WAITS : STREAM_FAILED;
}

ssize_t stream_read(struct connection *connection, char *bytes, size_t size)
{
	if (!connection->tls)
		return plain_result(read(connection->fd, bytes, size));
	ERR_clear_error();
	return tls_result(connection, SSL_read(connection->tls, bytes, size > INT_MAX ? INT_MAX : (int)size));
}

ssize_t stream_write(struct connection *connection)
{
	struct iovec parts[OUTPUT_PIECES];
	size_t first_size = connection->pieces[0].bytes.len - connection->sent;

	for (unsigned i = 0; i < connection->piece_count; i++)
		parts[i] = (struct iovec){ (void *)(uintptr_t)connection->pieces[i].bytes.data,
			connection->pieces[i].bytes.len };
	parts[0].iov_base = (char *)parts[0].iov_base + connection->sent;
	parts[0].iov_len = first_size;
	if (!connection->tls)
		return plain_result(writev(connection->fd, parts, (int)connection->piece_count));
	ERR_clear_error();
	return tls_result(connection, SSL_write(connection->tls, parts[0].iov_base,
					      first_size > INT_MAX ? INT_MAX : (int)first_size));
}

void stream_close(struct connection *connection)
{
	SSL_free(connection->tls);
	connection->tls = NULL;
	close(connection->fd);
}
