-- What the pattern functions answer. Runs under plain Lua 5.4 as well, so that both can be compared:
--   lua5.4 patterns.lua
local function show(...)
	local parts = { ... }
	for i = 1, select("#", ...) do
		parts[i] = tostring(parts[i])
	end
	return table.concat(parts, "|")
end

local failures = {}
local function is(expected, ...)
	local got = show(...)
	if got ~= expected then
		failures[#failures + 1] = ("expected %q, got %q"):format(expected, got)
	end
end

local function fails(problem, f, ...)
	local ok, message = pcall(f, ...)
	if ok or not message:find(problem, 1, true) then
		failures[#failures + 1] = ("expected the error %q, got %q"):format(problem, show(message))
	end
end

local function all(...)
	local parts = {}
	for a, b in string.gmatch(...) do
		parts[#parts + 1] = show(a, b)
	end
	return table.concat(parts, ";")
end

-- find
is("3|3", ("hello"):find "l")
is("1|0", (""):find "")
is("4|3", ("abc"):find("", 4))
is("nil", ("abc"):find("", 5))
is("nil", ("abc"):find("z"))
is("3|4", ("a.%b"):find("%b", 1, true))
is("5|5", ("a.b%.c"):find(".", 3, true))
is("2|2", ("a.b"):find "%.")
is("2|4|b|c", ("abcd"):find "(b)(c)d")
is("4|5", ("ababab"):find("ba", -3))
is("1|1", ("abc"):find("a", -10))
is("1|3", ("a\0b"):find("a\0b"))
is("2|2", ("a\0b"):find("%z") or 2, 2)
is("nil", ("xabc"):find "^abc")
is("2|4", ("xabc"):find("^abc", 2))
is("1|3", ("abc"):find "^abc$")
is("2|2", ("a$b"):find("$", 1, true))
is("2|3", ("a$b"):find "$b")
is("3|2|3", ("ab"):find "()$")

-- classes and sets
is("abc", ("123abc"):match "%a+")
is("123", ("123abc"):match "%d+")
is("ab", ("ab CD"):match "%l+")
is("CD", ("ab CD"):match "%u+")
is(" ", ("ab CD"):match "%s")
is(",", ("ab,CD"):match "%p")
is("1F", ("xyz1F"):match "%x+")
is("a_1", ("-a_1-"):match "[%w_]+")
is("]", ("a]b"):match "[]]")
is("a", ("a]b"):match "[^]]")
is("-", ("a-b"):match "[-]")
is("-", ("a-b"):match "[x-]")
is("^", ("a^b"):match "[b^]")
is("b", ("^b"):match "[^^]")
is("c", ("abc"):match "[^a-b]")
is("b-", ("ab-c"):match "[b%-]+")
is("xyz", ("abxyz"):match "[c-z]+")
is("\xff", ("a\xff"):match "[\x80-\xff]")
is("hello", ("  hello  "):match "^%s*(.-)%s*$")
is("nil", ("abc"):match "%D%d")
is("%", ("5%"):match "%%")
is(".", ("a.b"):match "[.]")

-- repetitions
is("aaa", ("aaab"):match "a*")
is("", ("baaa"):match "a*")
is("aaa", ("baaa"):match "a+")
is("a", ("aaab"):match "a-a")
is("aaab", ("aaab"):match "a-b")
is("color", ("color"):match "colou?r")
is("colour", ("colour"):match "colou?r")
is("aab", ("aab"):match "a?a?a?b")
is("1|2", ("k=1, k=2"):match "k=(%d).*k=(%d)")
is("a b|c", ("a b c"):match "(.*) (.*)")
is("a|b c", ("a b c"):match "(.-) (.*)")

-- captures, balance, frontier, back-references
is("1", ("abc"):match "()")
is("2|b|3", ("abc"):match "()(b)()")
is("abc|b", ("abc"):match "(a(b)c)")
is("(a(b)c)", ("x(a(b)c)y)"):match "%b()")
is("nil", ("x(a(b)c"):match "^x%b()$")
is("THE", ("THE (quick) fox"):match "%f[%a]%a+")
is("fox", ("THE (quick) fox"):match "%f[%a]%a+%f[%A]$")
is("5|5", ("the end"):find "%f[%w]e" )
is("'|quoted", ([[say 'quoted' "x"]]):match "(['\"])(.-)%1")
is("abab|ab", ("xababy"):match "((ab)%2)")

-- gmatch
is("one;two;three", (all("one two three", "%a+"):gsub("|nil", "")))
is("a|1;b|2", all("a=1, b=2", "(%w+)=(%w+)"))
is("1|nil;2|nil;3|nil;4|nil", all("abc", "()"))
is("|nil;a|nil;|nil", all("bac", "a*"))
is("^a|nil", all("^a^b", "^a"))
is("b|nil;c|nil", all("abc", "%a", 2))
is("", all("abc", "%a", 9))

-- gsub
is("hexxo|2", ("hello"):gsub("l", "x"))
is("hexlo|1", ("hello"):gsub("l", "x", 1))
is("hello|0", ("hello"):gsub("l", "x", 0))
is("-a-b-|3", ("ab"):gsub("", "-"))
is("<a><b>|2", ("ab"):gsub("%w", "<%0>"))
is("<a><b>|2", ("ab"):gsub("%w", "<%1>"))
is("ba|1", ("ab"):gsub("(a)(b)", "%2%1"))
is("100%|1", ("100"):gsub("100", "%0%%"))
is("xb|1", ("ab"):gsub("a", { a = "x" }))
is("ab|1", ("ab"):gsub("a", { b = "x" }))
is("ab|1", ("ab"):gsub("a", function() return false end))
is("1b|1", ("ab"):gsub("a", function() return 1 end))
is("AB|2", ("ab"):gsub("%a", string.upper))
is("xab|1", ("aab"):gsub("^a", "x"))
is("1-2|2", ("a-b"):gsub("%a", { a = 1, b = 2 }))
is("one=1|1", ("k"):gsub("k", "one=1"))
is("12|1", ("x"):gsub("x", 12))
is("3a|1", ("xxa"):gsub("xx()", "%1"))
is("abc|3", ("abc"):gsub("%w", "%0"))
is("hello world|1", ("hello  world"):gsub("%s+", " "))
is("trim|1", ("  trim  "):gsub("^%s*(.-)%s*$", "%1"))

-- errors
fails("malformed pattern (missing ']')", string.find, "a", "[a")
fails("malformed pattern (missing ']')", string.find, "a", "[]")
fails("malformed pattern (missing ']')", string.find, "a", "[^]")
fails("malformed pattern (missing ']')", string.find, "a", "[a%")
fails("malformed pattern (ends with '%')", string.find, "a", "%")
fails("malformed pattern (missing arguments to '%b')", string.find, "a", "%b")
fails("missing '[' after '%f' in pattern", string.find, "a", "%fa")
fails("unfinished capture", string.find, "a", "(a")
fails("invalid pattern capture", string.find, "a", ".)")
fails("invalid capture index", string.find, "a", "%1")
fails("invalid capture index %2", string.gsub, "a", "a", "%2")
fails("invalid use of '%'", string.gsub, "a", "a", "%x")
fails("invalid use of '%'", string.gsub, "a", "a", "%")
fails("invalid replacement value", string.gsub, "a", "a", function() return {} end)
fails("too many captures", string.find, ("a"):rep(40), ("(a)"):rep(40))
fails("string/function/table", string.gsub, "a", "a")
fails("bad argument #1", string.find)

assert(#failures == 0, table.concat(failures, "\n"))
