/* A kv around another, for tests: it fails when it is told to, and it is as strict with its callers as the
 * contract allows. Without a fault it is the other kv:
 *
 *   - functions of updates and reads are run twice (the first time without effect), and reads park;
 *   - values and keys that were shown are spoilt as soon as they are no longer valid. */
#ifndef CONTRACT_KV_FAULTY_H
#define CONTRACT_KV_FAULTY_H

#include <stdbool.h>

#include <posthorn/kv.h>

/* What may fail. */
enum faulty_call {
	FAULTY_UPDATE = 1,  /* before anything is done */
	FAULTY_CONFIRM = 2, /* the update is done, and PH_E_UNAVAILABLE told */
	FAULTY_INSIDE = 4,  /* a call inside an update's function */
	FAULTY_READ = 8,    /* a read, or a call inside its function */
	FAULTY_DRAFT = 16,  /* writing or viewing a draft */
	FAULTY_BLOB = 32,   /* opening or viewing a blob */
};

/* The table stays; `inner` may be another one with each call. */
const struct ph_kv_service *kv_faulty(const struct ph_kv_service *inner);

/* The `nth` call of these kinds (1 is the next) fails with this code, and none after it. */
void kv_faulty_arm(unsigned calls, unsigned nth, int code);
/* The code it was armed with last. */
int kv_faulty_code(void);
/* Did it fail? It will not any more. */
bool kv_faulty_disarm(void);

#endif
