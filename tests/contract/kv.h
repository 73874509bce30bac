/* What every provider of "kv/1" must do. */
#ifndef CONTRACT_KV_H
#define CONTRACT_KV_H

#include <check.h>
#include <stdbool.h>

#include <posthorn/kv.h>

struct kv_provider {
	const char *name;
	const struct ph_kv_service *service;
	bool lasts;  /* what is stored is there again after close and open */
	bool shared; /* other processes may have it open as well */
	/* Opens it in this process, in a folder that keeps what is stored (where it lasts); it should begin
	 * small, so that it must grow. */
	int (*open)(const char *directory, struct ph_error *error);
	void (*close)(void);
};

/* For fiber_main(); one suite at a time. Where the provider is shared, the program must call kv_writer() when
 * its first argument is "writer". */
Suite *kv_contract(const struct kv_provider *provider);
/* The same and more, with the provider behind kv_faulty.h: without a fault it is no other, and each fault is
 * told and changes nothing. */
Suite *kv_faulty_contract(const struct kv_provider *provider);
/* Another process that writes: DIRECTORY WRITER COUNT; prints the number of each update that is durable. */
int kv_writer(const struct kv_provider *provider, char **argv);

#endif
