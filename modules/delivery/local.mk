# The module delivery.
