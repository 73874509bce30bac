# Lua: the library policies use, and policies to take up.
