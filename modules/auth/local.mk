# The module auth.
