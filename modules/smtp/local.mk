# The module smtp.
