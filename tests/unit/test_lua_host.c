/* Policies in Lua: what they answer, how they fail, what they cannot do, and that they wait without holding
 * up one another. */
#include <config.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/fiber.h>
#include <posthorn/loop.h>
#include <posthorn/lua.h>
#include <posthorn/mem.h>

#include "../../core/hook_private.h"
#include "fiber_main.h"
#include "lua_host_run.h"

/* --- Answers --- */

static const struct answer_case {
	const char *handler;
	enum ph_verdict_kind kind;
	int code;
	const char *enhanced, *text, *value;
} answers[] = {
	{ "", PH_PASS, 0, "", "", "" },
	{ "return nil", PH_PASS, 0, "", "", "" },
	{ "return posthorn.pass()", PH_PASS, 0, "", "", "" },
	{ "return posthorn.accept()", PH_ACCEPT, 0, "", "", "" },
	{ "return posthorn.reject()", PH_REJECT, 0, "", "", "" },
	{ "return posthorn.reject('no')", PH_REJECT, 0, "", "no", "" },
	{ "return posthorn.reject(554)", PH_REJECT, 554, "", "", "" },
	{ "return posthorn.reject(550, '5.7.1', 'not you')", PH_REJECT, 550, "5.7.1", "not you", "" },
	{ "return posthorn.reject('5.7.1', 'not you')", PH_REJECT, 0, "5.7.1", "not you", "" },
	{ "return posthorn.defer(451, '4.7.1', 'later')", PH_DEFER, 451, "4.7.1", "later", "" },
	{ "return posthorn.disconnect('bye')", PH_DISCONNECT, 0, "", "bye", "" },
	{ "return posthorn.rewrite('x@example.org')", PH_REWRITE, 0, "", "", "x@example.org" },
	{ "return posthorn.read_only()", PH_READ_ONLY, 0, "", "", "" },
	{ "return posthorn.reject('a\\r\\n250 b\\0c')", PH_REJECT, 0, "", "a  250 b c", "" },
	{ "return posthorn.reject('gr\xc3\xbc\xc3\x9f')", PH_REJECT, 0, "", "gr??", "" },
	{ "return posthorn.reject(thing.name .. thing.size .. thing.tags[2] .. thing:times(2))", PH_REJECT, 0,
		"", "box21blue42", "" },
	{ "local n = '' for k in pairs(thing) do n = n .. k .. ' ' end return posthorn.reject(n)", PH_REJECT,
		0, "", "name size tags inner", "" },
	{ "return posthorn.reject(tostring(thing) .. tostring(thing.nothing))", PH_REJECT, 0, "",
		"thing name=boxnil", "" },
	{ "return posthorn.reject(tostring(getmetatable(thing)) .. tostring(session))", PH_REJECT, 0, "",
		"falsenil", "" },
	{ "return posthorn.reject(tostring(posthorn.reject(550, 'x')))", PH_REJECT, 0, "", "reject 550 x",
		"" },
	{ "return posthorn.reject(posthorn.hostname)", PH_REJECT, 0, "", "mx.example.org", "" },
	{ "local ok, e = pcall(error, 'x') return posthorn.reject(e)", PH_REJECT, 0, "", "x", "" },
	{ "local ok, e = xpcall(error, function(m) return m .. '!' end, 'x') return posthorn.reject(e)",
		PH_REJECT, 0, "", "x!", "" },
	{ "return posthorn.reject(select(2, pcall(setmetatable, {}, { __gc = print })))", PH_REJECT, 0, "",
		"policies cannot have finalizers (__gc)", "" },
};

START_TEST(answer)
{
	const struct answer_case *the = &answers[_i];
	host_open_handler(the->handler);
	struct ph_verdict verdict = host_ask("hello");
	const char *log = host_logged();
	ck_assert_msg(*log == '\0', "%s: %s", the->handler, log);
	ck_assert_msg(verdict.kind == the->kind, "%s: %s", the->handler, ph_verdict_name(verdict.kind));
	ck_assert_int_eq(verdict.code, the->code);
	ck_assert(ph_str_eq(verdict.enhanced, ph_str(the->enhanced)));
	ck_assert_msg(ph_str_eq(verdict.text, ph_str(the->text)), "%.*s", PH_STR_ARGS(verdict.text));
	ck_assert(ph_str_eq(verdict.value, ph_str(the->value)));
}
END_TEST

START_TEST(route_fields)
{
	host_open_handler("return posthorn.route { to = '127.0.0.1:24', users = { 'a', 'b' }, port = 25 }");
	struct ph_verdict verdict = host_ask("hello");
	ck_assert_int_eq(verdict.kind, PH_ROUTE);
	ck_assert_uint_eq(verdict.field_count, 3);
	ck_assert(ph_str_eq(ph_verdict_field(&verdict, "to")->values[0], PH_STR("127.0.0.1:24")));
	ck_assert(ph_str_eq(ph_verdict_field(&verdict, "port")->values[0], PH_STR("25")));
	ck_assert_uint_eq(ph_verdict_field(&verdict, "users")->count, 2);
	ck_assert(ph_str_eq(ph_verdict_field(&verdict, "users")->values[1], PH_STR("b")));
	ck_assert_ptr_null(ph_verdict_field(&verdict, "absent"));
}
END_TEST

/* --- Failures: each is logged with what is given here, and the point's own verdict decides. --- */

static const struct failure_case {
	const char *handler;
	const char *logged;
} failures[] = {
	/* Errors of all kinds. Handlers begin in line 3. */
	{ "error('a string')", "at=demo.lua:3 " },
	{ "error('a string')", "a string" },
	{ "error({})", "error=\"table: " },
	{ "error()", "error=nil" },
	{ "error(setmetatable({}, { __tostring = function() return 'shown' end }))", "error=shown" },
	{ "error(setmetatable({}, { __tostring = function() error 'again' end }))", "cannot be shown" },
	{ "error(setmetatable({}, { __tostring = function() return 5 end }))", "error=5" },
	{ "error(setmetatable({}, { __tostring = function() while true do end end }))", "instructions" },
	{ "error('two\\nlines\\r')", "two; lines" },
	{ "return nothing.at_all", "global 'nothing'" },
	{ "local function deep()\nerror 'x' end\ndeep()",
		"traceback=\"stack traceback: [C]: in function 'error'; demo.lua:4: in " },
	{ "return thing.nmae", "thing has no field 'nmae'" },
	{ "thing.name = 'x'", "thing is read-only" },
	{ "thing.times(5, 5)", "thing expected" },
	{ "string.match(5)", "bad argument" },
	/* Nonsense as an answer. */
	{ "return 5", "answered with a number" },
	{ "return true", "answered with a boolean" },
	{ "return {}", "answered with a table" },
	{ "return { kind = 'accept' }", "answered with a table" },
	{ "return posthorn.discard()", "test.decide does not allow the verdict discard" },
	{ "local v = posthorn.accept() v.kind = 'maybe' return v", "unknown kind" },
	{ "local v = posthorn.accept() v.code = 550 return v", "code 550 does not fit accept" },
	{ "local v = posthorn.reject() v.code = 'x' return v", "not a number from 200 to 599" },
	{ "local v = posthorn.reject() v.enhanced = '5.7' return v", "does not fit reject" },
	{ "local v = posthorn.reject() v.text = {} return v", "not a string" },
	{ "local v = posthorn.route{} v.fields = { 5 } return v", "not few and named" },
	{ "local v = posthorn.route{} v.fields = { a = {{}} } return v", "neither text nor a list" },
	{ "return posthorn.rewrite('a\\r\\nb')", "line end" },
	{ "return posthorn.reject(450)", "reject needs a code from 500 to 599" },
	{ "return posthorn.defer(550)", "defer needs a code from 400 to 499" },
	{ "return posthorn.reject('4.7.1', 'x')", "of the form 5.x.y" },
	{ "return posthorn.reject('x', 550)", "in this order" },
	{ "return posthorn.reject({})", "must be a string" },
	{ "return posthorn.route('x')", "must be a table" },
	{ "return posthorn.rewrite(string.rep('x', 2000000))", "too large" },
	/* What is not there. */
	{ "io.write('x')", "global 'io'" },
	{ "os.execute('x')", "field 'execute'" },
	{ "debug.sethook()", "global 'debug'" },
	{ "dofile('x')", "global 'dofile'" },
	{ "collectgarbage('stop')", "global 'collectgarbage'" },
	{ "package.loadlib('x')", "global 'package'" },
	{ "assert(load('\\27Lua'))", "attempt to load a binary chunk" },
	{ "string.dump(print)", "field 'dump'" },
	{ "require 'other'", "only while the scripts are loaded" },
	{ "posthorn.on('test.told', print)", "only while the scripts are loaded" },
	/* Endless work, which nothing may swallow. */
	{ "while true do end", "instructions" },
	{ "repeat until pcall(function() while true do end end) == 'never'", "instructions" },
	{ "while true do pcall(function() while true do end end) end", "instructions" },
	{ "while true do xpcall(function() while true do end end, function() while true do end end) end",
		"instructions" },
	{ "xpcall(function() while true do end end, function() while true do end end)", "instructions" },
	{ "xpcall(error, function() while true do end end)", "instructions" },
	{ "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
		"instructions" },
	{ "coroutine.wrap(function() while true do end end)()", "instructions" },
	{ "coroutine.wrap(function() pcall(function() while true do end end) while true do end end)()",
		"instructions" },
	{ "local x <close> = setmetatable({}, { __close = function() while true do end end })\n"
	  "while true do end",
		"instructions" },
	{ "coroutine.wrap(function()\n"
	  "local x <close> = setmetatable({}, { __close = function() while true do end end })\n"
	  "while true do end end)()",
		"instructions" },
	{ "local co = coroutine.create(function()\n"
	  "local x <close> = setmetatable({}, { __close = function() while true do end end })\n"
	  "while true do end end)\n"
	  "pcall(coroutine.resume, co) coroutine.close(co) while true do end",
		"instructions" },
	{ "local t = setmetatable({}, { __index = function() while true do end end })\nreturn t.x",
		"instructions" },
	{ "table.sort({ 1, 2, 3 }, function() while true do end end)", "instructions" },
	{ "string.gsub('xxx', 'x', function() while true do end end)", "instructions" },
	{ "for _ in function() while true do end end do end", "instructions" },
	{ "local s = string.rep('a', 50000) s:find('.-.-.-.-.-b')", "instructions" },
	{ "while true do local s = string.rep('a', 3000) pcall(s.find, s, '.-.-.-b') end", "instructions" },
	{ "string.rep('', 1 << 60)", "instructions" },
	{ "table.move({}, 1, 1 << 60, 2)", "instructions" },
	{ "table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, 'x')",
		"instructions" },
	{ "table.remove(setmetatable({}, { __len = function() return 1 << 60 end }), 1)", "instructions" },
	{ "table.concat(setmetatable({}, { __index = function() return '' end }), '', 1, 1 << 60)",
		"instructions" },
	{ "table.sort(setmetatable({}, { __len = function() return (1 << 31) - 2 end }), rawequal)",
		"instructions" },
	{ "local t = setmetatable({}, { __index = math.abs }) for i = 1, 1 << 60 do end", "instructions" },
	/* Too much memory. */
	{ "local t = {} for i = 1, 1 << 30 do t[i] = i end", "used up its memory" },
	{ "local s = string.rep(string.rep('x', 1 << 15), 1 << 15)", "used up its memory" },
	{ "local s = 'x' for i = 1, 40 do s = s .. s end", "used up its memory" },
	{ "local t = {} for i = 1, 1 << 20 do t[i] = string.rep('x', 1 << 12) end", "used up its memory" },
	{ "local t = {} for i = 1, 1 << 20 do t[i] = coroutine.create(print) end", "used up its memory" },
	{ "local t = {} for i = 1, 64 do t[i] = string.rep('x', 1 << 20) end table.concat(t)",
		"used up its memory" },
	{ "local function deep(n) return 1 + deep(n + 1) end deep(1)", "error=" },
	{ "while true do pcall(string.rep, 'x', 1 << 30) end", "instructions" },
	/* Too deep. */
	{ "local function f(s) return (s:gsub('.', f)) end f('x')", "C stack overflow" },
	{ "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k + 1] end "
	  "return t[1]",
		"C stack overflow" },
	{ "local function f() local ok, e = coroutine.resume(coroutine.create(f)) error(e, 0) end f()",
		"C stack overflow" },
	{ "local function f() return pcall(f) end while f() do end", "" },
	{ "local function f() table.sort({ 1, 2, 3 }, f) end f()", "C stack overflow" },
	{ "local function f() return tostring(setmetatable({}, { __tostring = f })) end f()",
		"C stack overflow" },
	{ "local function f() return string.format('%s', setmetatable({}, { __tostring = f })) end f()",
		"C stack overflow" },
	{ "local function f() return #setmetatable({}, { __len = f }) end f()", "C stack overflow" },
	{ "local function f() return print(setmetatable({}, { __tostring = f })) end f()",
		"C stack overflow" },
	{ "local function f() return table.concat(setmetatable({}, { __index = f }), '', 1, 1) end f()",
		"C stack overflow" },
	{ "local function f() return xpcall(error, f) end f() error('done')", "done" },
	{ "local function f(n) if n == 0 then return ('x'):rep(300000):find(('x?'):rep(300000)) end\n"
	  "return (('x'):gsub('x', function() return f(n - 1) end)) end f(1) f(120)",
		"" },
	{ "local s = 'return 1' for i = 1, 190 do s = 'return (function() ' .. s .. ' end)()' end\n"
	  "local function f(n) if n == 0 then return load(s) end\n"
	  "return tostring(setmetatable({}, { __tostring = function() return f(n - 1) end })) end f(5) "
	  "f(100)",
		"" },
	{ "local e = string.rep('(', 1000) assert(load('return ' .. e))", "overflow" },
	{ "('x'):rep(300000):find(('x?'):rep(300000))", "pattern too complex" },
	/* Too long. */
	{ "posthorn.sleep(1e9)", "took too long" },
	{ "while true do posthorn.sleep(0.01) end", "took too long" },
	{ "while true do pcall(posthorn.sleep, 1e9) end", "took too long" },
};

START_TEST(failure)
{
	const struct failure_case *the = &failures[_i];
	test_policy.timeout = 50;
	host_open_handler(the->handler);
	struct ph_verdict verdict = host_ask("hello");
	const char *log = host_logged();
	ck_assert_msg(verdict.kind == PH_DEFER, "%s: %s", the->handler, ph_verdict_name(verdict.kind));
	ck_assert_int_eq(verdict.code, 451);
	ck_assert_msg(
		strstr(log, "hook=test.decide") && strstr(log, "at=demo.lua:"), "%s: %s", the->handler, log);
	ck_assert_msg(strstr(log, the->logged) != NULL, "%s: %s", the->handler, log);
	ck_assert_msg(strchr(log, '\n') == log + strlen(log) - 1, "%s: %s", the->handler, log);
	/* And the next call is none the worse for it. */
	host_ask("again");
	ck_assert_ptr_nonnull(strstr(host_logged(), the->logged));
}
END_TEST

/* A burst of work in C functions between two counts of instructions is bounded too. */
START_TEST(burst)
{
	test_policy.instructions = INT64_C(1) << 40;
	test_policy.burst = 50;
	host_open_handler("while true do end");
	ck_assert_int_eq(host_ask("hello").kind, PH_DEFER);
	ck_assert_ptr_nonnull(strstr(host_logged(), "processor time"));
	host_open_handler("local s = string.rep('x', 1 << 21) while true do s:upper() end");
	ck_assert_int_eq(host_ask("hello").kind, PH_DEFER);
	ck_assert_ptr_nonnull(strstr(host_logged(), "processor time"));
}
END_TEST

/* --- Waiting --- */

static const char *const waits[] = {
	"posthorn.sleep(0.001)",
	"assert(pcall(posthorn.sleep, 0.001))",
	"assert(xpcall(posthorn.sleep, print, 0.001))",
	"local t = setmetatable({}, { __index = function(t, k) posthorn.sleep(0.001) return k end }) "
	"assert(t.x == 'x')",
	"for i in function(_, i) i = i or 0 posthorn.sleep(0.001) return i < 2 and i + 1 or nil end do "
	"assert(i) end",
	"coroutine.wrap(function() posthorn.sleep(0.001) coroutine.yield(1) end)()",
	"local co = coroutine.create(function() pcall(posthorn.sleep, 0.001) coroutine.yield(1) "
	"posthorn.sleep(0.001) "
	"return 2 end)\n assert(coroutine.resume(co)) local _, n = coroutine.resume(co) assert(n == 2)",
	"assert(('abc'):gsub('.', function(c) posthorn.sleep(0.001) return c .. c end) == 'aabbcc')",
	"local t = { 3, 1, 2 } table.sort(t, function(a, b) posthorn.sleep(0.0005) return a < b end) "
	"assert(t[1] == 1)",
	"local ok, e = pcall(function() posthorn.sleep(0.001) error 'x' end) assert(e:find 'x')",
	"local x <close> = setmetatable({}, { __close = function() posthorn.sleep(0.001) end })",
	"assert(tostring(setmetatable({}, { __tostring = function() posthorn.sleep(0.001) return 'x' end })) "
	"== 'x')",
};

/* Each of the calls fills the state with garbage of its own and looks at its arguments again afterwards. */
START_TEST(wait_together)
{
	char handler[1024];
	snprintf(handler, sizeof(handler),
		"local junk = {} for i = 1, 20 do junk[i] = word .. i end\n"
		"%s\n"
		"assert(thing.name == 'box' and junk[20] == word .. 20)\n"
		"return posthorn.accept { word = word }",
		waits[_i]);
	test_policy.timeout = 60000;
	host_open_handler(handler);
	unsigned accepted = host_ask_many(2000);
	ck_assert_msg(accepted == 2000, "%s: %u: %.500s", waits[_i], accepted, host_logged());
	ck_assert_uint_le(ph_fiber_count(), 1);
}
END_TEST

/* The one who eats fails; those who wait beside it do not. */
START_TEST(neighbours)
{
	test_policy.timeout = 60000;
	host_open_handler("local n = tonumber(word)\n"
			  "if n % 10 == 0 then local t = {} for i = 1, 1 << 30 do t[i] = word .. i end end\n"
			  "if n % 10 == 1 then while true do end end\n"
			  "local t = {} for i = 1, 100 do t[i] = word .. i end\n"
			  "posthorn.sleep(0.01)\n"
			  "return posthorn.accept { word = word }");
	ck_assert_uint_eq(host_ask_many(100), 80);
}
END_TEST

/* More calls at once than there is memory for: those that are admitted get through, the others fail at once.
 */
START_TEST(crowd)
{
	test_policy.timeout = 60000;
	test_policy.memory = 4 << 20;
	host_open_handler("local t = { word } posthorn.sleep(0.05) return posthorn.accept { word = t[1] }");
	unsigned accepted = host_ask_many(5000);
	ck_assert_uint_gt(accepted, 500);
	ck_assert_uint_lt(accepted, 5000);
	ck_assert_ptr_nonnull(strstr(host_logged(), "the policies use too much memory"));
	ph_fiber_sleep(1000);
	ck_assert_uint_eq(host_ask_many(500), 500);
}
END_TEST

/* The same where there is less room than those who were admitted need further on: all end soon. */
START_TEST(crowd_that_grows)
{
	test_policy.timeout = 60000;
	test_policy.memory = 8 << 20;
	host_open_handler("posthorn.sleep(0.01)\n"
			  "local t = {} for i = 1, 200 do t[i] = word .. i end\n"
			  "posthorn.sleep(0.05) return posthorn.accept { word = word }");
	ph_msec begin = ph_now();
	ck_assert_uint_lt(host_ask_many(10000), 10000);
	ph_fiber_yield();
	ck_assert_int_lt(ph_now() - begin, 30000);
	ck_assert_ptr_nonnull(strstr(host_logged(), "the policies use too much memory"));
	ph_fiber_sleep(1000);
	ck_assert_uint_eq(host_ask_many(100), 100);
}
END_TEST

/* --- Order, owners, several scripts --- */

START_TEST(order)
{
	struct ph_error error;
	int code = host_try(
		"local posthorn = require 'posthorn'\n"
		"local said = ''\n"
		"local function say(word) return function() said = said .. word end end\n"
		"posthorn.on('test.decide', say 'c')\n"
		"posthorn.on('test.decide', say 'd')\n"
		"posthorn.on('test.decide', say 'e', { order = 7 })\n"
		"posthorn.on('test.decide', say 'a', { order = -7 })\n"
		"posthorn.on('test.decide', say 'b', { order = -7 })\n"
		"posthorn.on('test.decide', function() return posthorn.reject(said) end, { order = 8 })\n"
		"posthorn.on('test.decide', function() return posthorn.accept() end, { order = 9 })\n",
		&error);
	ck_assert_msg(code == 0, "%s", error.detail);
	ck_assert(ph_str_eq(host_ask("x").text, PH_STR("abcde")));
}
END_TEST

START_TEST(observers)
{
	struct ph_error error;
	int code = host_try(
		"local posthorn = require 'posthorn'\n"
		"posthorn.on('test.told', function(session, word) error 'not me' end)\n"
		"posthorn.on('test.told', function(session, word) posthorn.log('info', word) return 5 end)\n",
		&error);
	ck_assert_msg(code == 0, "%s", error.detail);
	const struct ph_value word = PH_VALUE_STR(PH_STR("listen"));
	struct ph_verdict verdict;
	struct ph_pool *pool = ph_pool_new(0);
	ph_hook_run(&told_hook, NULL, &word, pool, &verdict);
	ck_assert_int_eq(verdict.kind, PH_PASS);
	const char *log = host_logged();
	ck_assert_msg(strstr(log, "not me") && strstr(log, "listen") && !strstr(log, "answered"), "%s", log);
	ph_pool_free(&pool);
}
END_TEST

static int wait_a_little(lua_State *L)
{
	ph_lua_check_parking(L);
	ph_wait_park(ph_wait_begin(), ph_now() + 1);
	ph_lua_waited(L);
	lua_pushinteger(L, 7);
	return 1;
}

static const struct ph_lua_library offered_library = {
	.name = "slow",
	.help = "Takes its time.",
	.functions =
		(const struct ph_lua_function[]){
			{ "seven", wait_a_little, "seven() -> integer", "seven" }, { .name = NULL } },
};

START_TEST(offered)
{
	hook_set_owner("one");
	ph_lua_offer(&offered_library);
	hook_set_owner(NULL);
	host_open_handler("return posthorn.reject(tostring(posthorn.slow and posthorn.slow.seven()))");
	ck_assert(ph_str_eq(host_ask("x").text, PH_STR("7")));
	lua_host_withdraw("one");
	host_open_handler("return posthorn.reject(tostring(posthorn.slow and posthorn.slow.seven()))");
	ck_assert(ph_str_eq(host_ask("x").text, PH_STR("nil")));
}
END_TEST

START_TEST(own_time)
{
	struct ph_error error;
	ck_assert_int_eq(
		host_try(
			"local posthorn = require 'posthorn'\n"
			"posthorn.on('test.decide', function() posthorn.sleep(30) end, { timeout = 0.02 })\n",
			&error),
		0);
	ck_assert_int_eq(host_ask("x").kind, PH_DEFER);
	ck_assert_ptr_nonnull(strstr(host_logged(), "took too long"));
}
END_TEST

START_TEST(several_scripts)
{
	host_write("one.lua",
		"name = 'one' posthorn = require 'posthorn' helper = require 'helper'\n"
		"posthorn.on('test.decide', function() if name ~= 'one' then error(name) end end)");
	host_write("two.lua",
		"assert(name == nil and posthorn == nil)\n"
		"local posthorn, deep = require 'posthorn', require 'sub.deep' name = 'two'\n"
		"assert(require 'sub.deep' == deep and _G.name == 'two')\n"
		"posthorn.on('test.decide', function() return posthorn.reject(name .. deep.word) end)");
	host_write("helper.lua", "return {}");
	host_write("sub/deep.lua", "return { word = ... }");
	host_open("one.lua", "two.lua", NULL);
	ck_assert(ph_str_eq(host_ask("x").text, PH_STR("twosub.deep")));
	struct ph_text_list files = lua_host_files();
	ck_assert_uint_eq(files.count, 5);
}
END_TEST

/* --- Scripts that do not load --- */

static const struct bad_script {
	const char *script;
	const char *problem;
} bad_scripts[] = {
	{ "local x = = 5", "demo.lua:1: unexpected symbol" },
	{ "error 'no'", "demo.lua:1: no" },
	{ "\nrequire 'posthorn'.on('test.decied', print)",
		"demo.lua:2: there is no hook point 'test.decied', did you mean "
		"'test.decide'?" },
	{ "require 'posthorn'.on('quite.other', print)", "there is no hook point 'quite.other' (" },
	{ "require 'posthorn'.on('test.told', 'x')",
		"demo.lua:1: the handler must be a function, not a string" },
	{ "require 'posthorn'.on('test.told', print, { ordre = 1 })", "demo.lua:1: unknown option 'ordre'" },
	{ "require 'posthorn'.on('test.told', print, { order = 'x' })", "order must be" },
	{ "require 'posthorn'.on('test.told', print, { timeout = -1 })", "timeout must be" },
	{ "require 'posthorn'.sleep(1)", "may not wait here" },
	{ "require 'absent'", "module 'absent' is neither" },
	{ "require '../demo'", "not the name of a module" },
	{ "require '/etc/passwd'", "not the name of a module" },
	{ "require 'a..b'", "not the name of a module" },
	{ "require 'broken'", "broken.lua:1:" },
	{ "require 'posthorn.absent'", "neither" },
	{ "while true do end", "used up its" },
	{ "local t = {} while true do t[#t + 1] = {} end", "use too much memory" },
	{ "\033Lua", "binary chunk" },
	{ "", NULL },
};

START_TEST(bad_script)
{
	const struct bad_script *the = &bad_scripts[_i];
	struct ph_error error = { 0 };
	host_write("broken.lua", "+");
	int code = host_try(the->script, &error);
	ck_assert_int_eq(code < 0, the->problem != NULL);
	ck_assert_msg(
		!the->problem || strstr(error.detail, the->problem), "%s: %s", the->script, error.detail);
	ck_assert(!ph_hook_wanted(&decide_hook) && !ph_hook_wanted(&told_hook));
}
END_TEST

START_TEST(missing_script)
{
	struct ph_error error;
	struct policy_config policy = test_policy;
	const char *const paths[] = { "/absent/policy.lua" };
	policy.scripts = (struct ph_text_list){ paths, 1 };
	ck_assert_int_lt(lua_host_open(&policy, TEST_SCRIPTS, &error), 0);
	ck_assert_ptr_nonnull(strstr(error.detail, "/absent/policy.lua: No such file"));
}
END_TEST

/* --- What lives on --- */

START_TEST(kept_objects)
{
	host_open_handler("if kept then return posthorn.reject(tostring(kept)), kept.name end\n"
			  "kept, inner = thing, thing.inner");
	host_ask("x");
	ck_assert_int_eq(host_ask("x").kind, PH_DEFER);
	ck_assert_ptr_nonnull(strstr(host_logged(), "thing is over"));
	host_open_handler("if kept then return posthorn.reject(tostring(kept) .. tostring(pcall(kept.times, "
			  "kept, 1))) end\n"
			  "kept = thing.inner");
	host_ask("x");
	ck_assert_int_eq(host_ask("x").kind, PH_DEFER);
	host_open_handler("if kept then return posthorn.reject(tostring(kept)) end kept = thing.inner");
	host_ask("x");
	ck_assert(ph_str_eq(host_ask("x").text, PH_STR("thing (over)")));
}
END_TEST

START_TEST(reload)
{
	for (int i = 0; i < 20; i++) {
		host_open_handler("count = (count or 0) + 1 return posthorn.reject(tostring(count))");
		ck_assert(ph_str_eq(host_ask("x").text, PH_STR("1")));
		ck_assert(ph_str_eq(host_ask("x").text, PH_STR("2")));
	}
}
END_TEST

START_TEST(logging)
{
	host_open_handler(
		"print('a', 1) posthorn.log('warn', 'hello', { number = 5, text = 'x y' })\n"
		"return posthorn.reject(tostring(pcall(posthorn.log, 'warn', 'x', { ['a b'] = 1 })))");
	ck_assert(ph_str_eq(host_ask("x").text, PH_STR("false")));
	const char *log = host_logged();
	ck_assert_ptr_nonnull(strstr(log, "number=5 text=\"x y\""));
	ck_assert_ptr_nonnull(strstr(log, "policy says"));
}
END_TEST

/* The library's own pattern functions answer as Lua's do: compared with what Lua 5.4 gives. */
START_TEST(patterns)
{
	static char script[32768];
	FILE *file = fopen(TEST_LUA "/patterns.lua", "r");
	ck_assert_ptr_nonnull(file);
	size_t len = fread(script, 1, sizeof(script) - 1, file);
	fclose(file);
	script[len] = '\0';
	struct ph_error error;
	int code = host_try(script, &error);
	ck_assert_msg(code == 0, "%s", error.detail);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lua_host");
	TCase *tcase = tcase_create("lua_host");
	tcase_add_checked_fixture(tcase, host_setup, host_teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, answer, 0, sizeof(answers) / sizeof(*answers));
	tcase_add_test(tcase, route_fields);
	tcase_add_loop_test(tcase, failure, 0, sizeof(failures) / sizeof(*failures));
	tcase_add_test(tcase, burst);
	tcase_add_loop_test(tcase, wait_together, 0, sizeof(waits) / sizeof(*waits));
	tcase_add_test(tcase, neighbours);
	tcase_add_test(tcase, crowd);
	tcase_add_test(tcase, crowd_that_grows);
	tcase_add_test(tcase, order);
	tcase_add_test(tcase, observers);
	tcase_add_test(tcase, offered);
	tcase_add_test(tcase, own_time);
	tcase_add_test(tcase, several_scripts);
	tcase_add_loop_test(tcase, bad_script, 0, sizeof(bad_scripts) / sizeof(*bad_scripts));
	tcase_add_test(tcase, missing_script);
	tcase_add_test(tcase, kept_objects);
	tcase_add_test(tcase, reload);
	tcase_add_test(tcase, logging);
	tcase_add_test(tcase, patterns);
	suite_add_tcase(suite, tcase);
	return fiber_main(suite);
}
