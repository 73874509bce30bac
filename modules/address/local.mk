# The module address.
