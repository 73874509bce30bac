/* A certificate signed by itself, so that TLS can be tried without asking an authority. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layer_tls.h"

enum { VALID_DAYS = 3650 };

static bool add_extension(X509 *certificate, int kind, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
	bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return added;
}

static bool set_serial(X509 *certificate)
{
	unsigned char bytes[8];
	uint64_t number;
	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	memcpy(&number, bytes, sizeof(number));
	return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), number >> 1) == 1;
}

static bool set_names(X509 *certificate, const char *hostname)
{
	char alternatives[512];
	X509_NAME *name = X509_get_subject_name(certificate);
	int len = snprintf(
		alternatives, sizeof(alternatives), "DNS:%s,DNS:localhost,IP:127.0.0.1,IP:::1", hostname);
	if (len >= (int)sizeof(alternatives) || strchr(hostname, ','))
		return false;
	return X509_NAME_add_entry_by_txt(
		       name, "CN", MBSTRING_UTF8, (const unsigned char *)hostname, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(certificate, name) == 1 &&
	       add_extension(certificate, NID_subject_alt_name, alternatives) &&
	       add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
}

static X509 *certificate_new(EVP_PKEY *key, const char *hostname)
{
	X509 *certificate = X509_new();
	if (certificate && X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
		X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) &&
		X509_gmtime_adj(X509_getm_notAfter(certificate), 86400L * VALID_DAYS) &&
		X509_set_pubkey(certificate, key) == 1 && set_names(certificate, hostname) &&
		X509_sign(certificate, key, EVP_sha256()) > 0)
		return certificate;
	X509_free(certificate);
	return NULL;
}

static FILE *create(const char *path, mode_t mode, struct ph_error *error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	FILE *file = fd >= 0 && fchmod(fd, mode) == 0 ? fdopen(fd, "w") : NULL;
	if (file)
		return file;
	ph_error_set(error, PH_E_IO, "cannot write a file", "cannot write %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int write_key(const char *path, EVP_PKEY *key, struct ph_error *error)
{
	FILE *file = create(path, 0600, error);
	if (!file)
		return PH_E_IO;
	bool written = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
	if (fclose(file) != 0 || !written)
		return ph_error_set(error, PH_E_IO, "cannot write a file", "cannot write the key %s", path);
	return PH_OK;
}

static int write_certificate(const char *path, X509 *certificate, struct ph_error *error)
{
	FILE *file = create(path, 0644, error);
	if (!file)
		return PH_E_IO;
	bool written = PEM_write_X509(file, certificate) == 1;
	if (fclose(file) != 0 || !written)
		return ph_error_set(
			error, PH_E_IO, "cannot write a file", "cannot write the certificate %s", path);
	return PH_OK;
}

int tls_make_self_signed(
	const char *certificate_path, const char *key_path, const char *hostname, struct ph_error *error)
{
	int result;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = key ? certificate_new(key, hostname) : NULL;
	if (certificate) {
		result = write_key(key_path, key, error);
		if (result == PH_OK)
			result = write_certificate(certificate_path, certificate, error);
	} else {
		result = ph_error_set(error, PH_E_INVALID, "cannot make a certificate",
			"cannot make a certificate for \"%s\"", hostname);
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
	return result;
}
