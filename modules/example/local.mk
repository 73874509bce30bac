# The module example.
