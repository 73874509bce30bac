# Test programs of this part.
EXTRA_DIST += tests/lua/patterns.lua
