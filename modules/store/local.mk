# The module store.
