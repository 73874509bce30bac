/* Tests of kv_lmdb's journal. */
#ifndef CONTRACT_KV_LMDB_JOURNAL_H
#define CONTRACT_KV_LMDB_JOURNAL_H

#include <check.h>

TCase *kv_lmdb_journal_tests(void);
TCase *kv_lmdb_layout_tests(void);

#endif
