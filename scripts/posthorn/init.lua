--- The library of policies: `local posthorn = require "posthorn"`.
-- Built on few functions in C, which come as the second argument of this file.
local _, core = ...

local posthorn = {}

--- This server's full host name.
posthorn.hostname = core.hostname
--- The version of Posthorn, such as "0.1.0".
posthorn.version = core.version

for name, library in pairs(core.offered) do
	posthorn[name] = library
end

local function check(value, expected, name, level)
	if type(value) ~= expected then
		error(("%s must be a %s, not a %s"):format(name, expected, type(value)), (level or 2) + 1)
	end
end

--- Subscribes `handler` to the hook point `name`; only while the scripts are loaded. The handler gets the session and
-- the point's arguments, and returns a verdict, or nothing to let the next one decide. Options: `order` (a whole number,
-- default 0; lower ones are asked first), `timeout` (seconds that one call may take, waits included).
function posthorn.on(name, handler, options)
	check(name, "string", "the name of the hook point")
	check(handler, "function", "the handler")
	if options ~= nil then
		check(options, "table", "the options")
	end
	options = options or {}
	for key in pairs(options) do
		if key ~= "order" and key ~= "timeout" then
			error(("unknown option '%s'; there are order and timeout"):format(tostring(key)), 2)
		end
	end
	local order, timeout = options.order or 0, options.timeout
	if math.type(order) ~= "integer" or order < -1000000 or order > 1000000 then
		error("order must be a whole number between -1000000 and 1000000", 2)
	end
	if timeout ~= nil and not (type(timeout) == "number" and timeout > 0 and timeout <= 86400) then
		error("timeout must be a number of seconds, up to a day", 2)
	end
	local problem = core.subscribe(name, handler, order, timeout)
	if problem then
		error(problem, 2)
	end
end

-- Verdicts ---------------------------------------------------------------------------------------------------------

core.verdict.__name = "verdict"
core.verdict.__tostring = function(verdict)
	local parts = { verdict.kind }
	for _, key in ipairs { "code", "enhanced", "text", "value" } do
		if verdict[key] ~= nil then
			parts[#parts + 1] = tostring(verdict[key])
		end
	end
	return table.concat(parts, " ")
end

local function make(verdict)
	return setmetatable(verdict, core.verdict)
end

-- A verdict with (code?, enhanced code?, text?), each of which may be left out.
local function answer(kind, digit, ...)
	local verdict, arguments, next_one = { kind = kind }, { ... }, 1
	if math.type(arguments[next_one]) == "integer" then
		verdict.code = arguments[next_one]
		if verdict.code // 100 ~= digit then
			error(("%s needs a code from %d00 to %d99, not %d"):format(kind, digit, digit, verdict.code), 3)
		end
		next_one = next_one + 1
	end
	local word = arguments[next_one]
	if type(word) == "string" and word:find "^%d+%.%d+%.%d+$" then
		if not word:find("^" .. digit .. "%.%d%d?%d?%.%d%d?%d?$") then
			error(("%s needs an enhanced code of the form %d.x.y, not %s"):format(kind, digit, word), 3)
		end
		verdict.enhanced = word
		next_one = next_one + 1
	end
	verdict.text = arguments[next_one]
	if verdict.text ~= nil then
		check(verdict.text, "string", "the text", 3)
		next_one = next_one + 1
	end
	if arguments[next_one] ~= nil then
		error(("%s takes a code, an enhanced code and a text, in this order"):format(kind), 3)
	end
	return make(verdict)
end

local function check_fields(fields)
	check(fields, "table", "the fields", 3)
	for key, value in pairs(fields) do
		check(key, "string", "the name of a field", 3)
		for _, text in ipairs(type(value) == "table" and value or { value }) do
			if type(text) ~= "string" and type(text) ~= "number" then
				error(("the field '%s' must be text or a list of texts"):format(key), 3)
			end
		end
	end
	return fields
end

--- Nothing to say: the next handler decides, at last the server's own rule. The same as returning nothing.
function posthorn.pass()
	return make { kind = "pass" }
end

--- Yes, without asking further handlers. Some hook points take fields with it.
function posthorn.accept(fields)
	return make { kind = "accept", fields = fields and check_fields(fields) }
end

--- No, for good. `reject(code?, enhanced?, text?)`: each may be left out, as in `reject("not here")`,
-- `reject(550, "5.7.1", "relaying denied")`. Codes are from 500 to 599, enhanced codes begin with 5.
function posthorn.reject(...)
	return answer("reject", 5, ...)
end

--- Not now: the other side may try again. `defer(code?, enhanced?, text?)`, with codes from 400 to 499 and enhanced
-- codes that begin with 4.
function posthorn.defer(...)
	return answer("defer", 4, ...)
end

--- No, with a text, and closes the connection.
function posthorn.disconnect(text)
	if text ~= nil then
		check(text, "string", "the text")
	end
	return make { kind = "disconnect", text = text }
end

--- Says yes, and forgets it.
function posthorn.discard()
	return make { kind = "discard" }
end

--- Goes on with another value.
function posthorn.rewrite(value)
	check(value, "string", "the value")
	return make { kind = "rewrite", value = value }
end

--- Goes elsewhere: the fields say where, each a text or a list of texts. What fields there are, the hook point says.
function posthorn.route(fields)
	return make { kind = "route", fields = check_fields(fields) }
end

--- Yes, but for reading only.
function posthorn.read_only()
	return make { kind = "read_only" }
end

-- Odds and ends ----------------------------------------------------------------------------------------------------

local levels = { debug = true, info = true, warn = true, error = true }

--- Writes a line to the log. `level` is "debug", "info", "warn" or "error"; `fields` a table of values by name (names
-- of small letters, digits and underscores), at most 16 of them.
function posthorn.log(level, text, fields)
	if not levels[level] then
		error("the level must be debug, info, warn or error", 2)
	end
	check(text, "string", "the text")
	local names, flat = {}, {}
	if fields ~= nil then
		check(fields, "table", "the fields")
	end
	for name in pairs(fields or {}) do
		if type(name) ~= "string" or not name:find "^[a-z][a-z0-9_]*$" then
			error(("'%s' cannot be the name of a field in the log"):format(tostring(name)), 2)
		end
		names[#names + 1] = name
	end
	if #names > 16 then
		error("a log line takes at most 16 fields", 2)
	end
	table.sort(names)
	for _, name in ipairs(names) do
		local value = fields[name]
		flat[#flat + 1] = name
		flat[#flat + 1] = math.type(value) == "integer" and value or tostring(value)
	end
	core.log(level, text, flat)
end

--- Waits so many seconds (fractions are allowed), holding up nobody else. Only in handlers.
function posthorn.sleep(seconds)
	check(seconds, "number", "the time")
	core.sleep(seconds)
end

--- Seconds since 1970, with milliseconds.
posthorn.time = core.time

--- Seconds of a clock that is never set back: for measuring how long something takes.
posthorn.now = core.now

return posthorn
