/* What a policy answers. One closed set for all hook points; each point says which of them it allows. */
#ifndef POSTHORN_VERDICT_H
#define POSTHORN_VERDICT_H

#include <stdbool.h>

#include <posthorn/mem.h>
#include <posthorn/str.h>

enum ph_verdict_kind {
	PH_PASS,       /* nothing to say: the next subscriber decides, at last the server's own rule */
	PH_ACCEPT,     /* yes, without asking further */
	PH_REJECT,     /* no, for good: code, enhanced code, text */
	PH_DEFER,      /* not now: code, enhanced code, text */
	PH_DISCONNECT, /* say no (text) and close the connection */
	PH_DISCARD,    /* say yes and forget */
	PH_REWRITE,    /* go on with another value: `value` */
	PH_ROUTE,      /* go elsewhere: `fields` say where */
	PH_READ_ONLY,  /* yes, but for reading only */
	PH_VERDICT_KINDS
};

/* Bits for ph_hook_point.verdicts. PH_PASS is always allowed. */
#define PH_ALLOWS(kind) (1u << (kind))

struct ph_verdict_field {
	struct ph_str key;
	const struct ph_str *values;
	size_t count;
};

/* All text lies in the pool that was given to ph_hook_run(). */
struct ph_verdict {
	enum ph_verdict_kind kind;
	int code;               /* 0: the protocol's usual one */
	struct ph_str enhanced; /* "5.7.1", or empty */
	struct ph_str text;     /* one line of printable text, or empty */
	struct ph_str value;
	const struct ph_verdict_field *fields;
	size_t field_count;
};

/* "reject" and so on. */
const char *ph_verdict_name(enum ph_verdict_kind kind);
/* The named field, or NULL. */
const struct ph_verdict_field *ph_verdict_field(const struct ph_verdict *verdict, const char *key);

#endif
