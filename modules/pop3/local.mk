# The module pop3.
