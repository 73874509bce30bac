# The server as its users meet it: real clients, policies, a module built outside the tree.
interop_tests = \
	tests/interop/test_accounts.py \
	tests/interop/test_clients.py \
	tests/interop/test_dovecot.py \
	tests/interop/test_faults.py \
	tests/interop/test_file_faults.py \
	tests/interop/test_hooks.py \
	tests/interop/test_imap_sessions.py \
	tests/interop/test_import_imap.py \
	tests/interop/test_out_of_tree.py \
	tests/interop/test_program.py \
	tests/interop/test_store_damage.py \
	tests/interop/test_store_mail.py \
	tests/interop/test_store_restore.py \
	tests/interop/test_store_tools.py
if HAVE_PYTHON3
TESTS += $(interop_tests)
endif
EXTRA_DIST += $(interop_tests) tests/interop/README.md tests/interop/posthorn_server.py tests/interop/localhost.pem \
	tests/interop/dovecot_server.py tests/interop/faulty_mail.py tests/interop/imap_answers.py tests/interop/scripted_imap.py tests/interop/commands/changes.txt \
	tests/interop/commands/mailboxes.txt tests/interop/commands/searches.txt
