# Killing the server under load. `make check` does a short run, `make check-crash` a long one.
if HAVE_PYTHON3
TESTS += tests/crash/load.py
endif
EXTRA_DIST += tests/crash/load.py

check-crash: all
	$(srcdir)/tests/crash/load.py --messages 5000
.PHONY: check-crash
