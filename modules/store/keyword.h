/* Keywords of messages: each mailbox numbers those it has met. */
#ifndef STORE_KEYWORD_H
#define STORE_KEYWORD_H

#include <stdbool.h>
#include <stdint.h>

#include "change.h"

/* Numbers of keywords, ascending, as a message's record holds them. */
struct keyword_list {
	char *bytes;
	uint16_t count;
	uint16_t capacity;
};

void keyword_list_add(struct keyword_list *list, uint16_t number);
uint16_t keyword_list_at(const struct keyword_list *list, size_t index);
bool keyword_list_has(const struct keyword_list *list, uint16_t number);
void keyword_list_free(struct keyword_list *list);

/* Can clients be told of it? An atom (RFC 9051, 9) that is not too long. */
bool keyword_is_legal(struct ph_str name);

/* The numbers of these names. Unknown ones are made known with `add` (PH_E_LIMIT when there are too many,
 * before anything is written), else left out. PH_E_INVALID: a name is not legal. */
int keywords_find(struct change *change, const struct ph_str *names, size_t count, bool add,
	struct keyword_list *list_r);
int keyword_name(struct ph_kv_txn *txn, size_t partition, uint16_t number, struct ph_str *name_r);

#endif
