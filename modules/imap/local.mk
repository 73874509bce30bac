# The module imap.
