# The module kv_lmdb.
