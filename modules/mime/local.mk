# The module mime.
