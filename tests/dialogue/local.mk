# Dialogues: text files that are played with the real server.
if HAVE_PYTHON3
TESTS += tests/dialogue/test_play.py tests/dialogue/play.py tests/dialogue/test_over_memory.py
endif
DIALOGUES = $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/tests/dialogue/*.dlg))
EXTRA_DIST += tests/dialogue/play.py tests/dialogue/test_play.py tests/dialogue/test_over_memory.py \
	tests/dialogue/README.md $(DIALOGUES)
