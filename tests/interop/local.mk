# The server as its users meet it: real clients, policies, a module built outside the tree.
EXTRA_DIST += tests/interop/posthorn_server.py tests/interop/localhost.pem
