#!/usr/bin/env python3
"""The life of the program: start, workers that die or hang, reloads good and bad, saved scripts, the end; and what the
command line answers. With the module `fine` of tests/modules only: no mail in it."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import posthorn_server
from posthorn_server import BUILD, Failure, Server, main

MODULES = BUILD / "tests" / "modules" / ".libs"


class Fine(Server):
    """A server that speaks the test module's few words."""

    def __init__(self, config="", fine="", workers=2, **others):
        lines = f"module_directories = {{ {posthorn_server.lua_text(MODULES)} }}\nfine = {{ {fine} }}\n{config}"
        super().__init__(config=lines, listeners={"fine": 'protocol = "fine", motto = "one"'}, modules=("fine",),
                         standard_listeners=False, accounts=(), workers=workers, **others)

    def change(self, old, new):
        text = self.config.read_text()
        assert old in text, text
        self.config.write_text(text.replace(old, new))

    def status(self):
        return self.tool("status")


class Talk:
    """One connection."""

    def __init__(self, server, listener="fine"):
        self.socket = socket.create_connection(server.address(listener), posthorn_server.PATIENCE)
        self.lines = self.socket.makefile("rb")
        self.greeting = self.read()

    def read(self):
        return self.lines.readline().decode().rstrip("\r\n")

    def say(self, text):
        self.socket.sendall(text.encode() + b"\r\n")

    def ask(self, text):
        self.say(text)
        return self.read()

    def close(self):
        self.lines.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def equal(found, wanted):
    if found != wanted:
        raise Failure(f"{found!r} is not {wanted!r}")


def holds(text, part):
    if part not in text:
        raise Failure(f"{part!r} is not in {text!r}")


def until(what, ready):
    """Waits for something that no log line tells."""
    end = time.monotonic() + posthorn_server.PATIENCE
    while not ready():
        if time.monotonic() > end:
            raise Failure(f"waited in vain until {what}")
        time.sleep(0.01)


def is_gone(pid):
    """No process any more, or one that nobody has collected yet."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def start_and_stop():
    with Fine() as server:
        with Talk(server) as talk:
            equal(talk.greeting, "hello one")
            pid = int(talk.ask("pid"))
            assert pid in server.worker_pids()
            holds(server.status(), f"pid {pid}, ready")
            if os.geteuid() == 0:
                assert int(talk.ask("uid")) != 0
        equal(len(server.worker_pids()), 2)
        holds(server.tool("status", "--metrics"), "\nfine_words_total ")
        equal((server.folder / "run" / "control").stat().st_mode & 0o777, 0o600)
        equal(server.tool("stop"), "")
        equal(server.process.wait(), 0)
        equal(server.run_tool("status").returncode, 4)


def idle_sessions_hear_of_the_end():
    with Fine() as server:
        with Talk(server) as talk:
            server.process.send_signal(signal.SIGTERM)
            equal(talk.read(), "goodbye 1")
            equal(talk.read(), "")


def worker_dies():
    with Fine(workers=1) as server:
        server.expect_crash = True
        with Talk(server) as talk:
            pid = int(talk.ask("pid"))
            os.kill(pid, signal.SIGKILL)
            equal(talk.read(), "")
        server.wait_log(f"worker ended by a signal.*pid={pid} signal=Killed")
        with Talk(server) as talk:
            assert int(talk.ask("pid")) != pid
        with Talk(server) as talk:
            talk.say("abort")
            equal(talk.read(), "")
        with Talk(server) as talk:
            talk.ask("pid")
        holds(server.tool("status", "--metrics"), "posthorn_worker_restarts_total 2")


def worker_hangs():
    with Fine(config='worker_timeout = "2s"', workers=1) as server:
        with Talk(server) as talk:
            talk.say("hang")
            server.wait_log("worker hangs: killing it")
            equal(talk.read(), "")
        with Talk(server) as talk:
            talk.ask("pid")


def master_dies():
    with Fine() as server:
        workers = server.worker_pids()
        server.expect_crash = True
        server.process.kill()
        server.process.wait()
        second = Fine(folder=server.folder)
        second.ports = server.ports
        second.start()  # the same ports, at once
        with Talk(second) as talk:
            talk.ask("pid")
        for pid in workers:
            until(f"worker {pid} ends by itself", lambda pid=pid: is_gone(pid))
        second.stop()


def good_reload():
    with Fine(workers=1) as server:
        with Talk(server) as old:
            pid = old.ask("pid")
            server.change('motto = "one"', 'motto = "two"')
            equal(server.tool("reload"), "")
            with Talk(server) as new:
                equal(new.greeting, "hello two")
                assert new.ask("pid") != pid
            # The session goes on with the state it began with.
            equal(old.ask("pid"), pid)
            holds(server.status(), "draining")
        until("the old worker is gone", lambda: "draining" not in server.status())
        assert is_gone(pid)
        server.process.send_signal(signal.SIGHUP)
        server.wait_log("reloaded generation=3")


def many_reloads():
    """More generations than there is room for: the oldest have to go."""
    with Fine(workers=2) as server:
        talks = []
        for _ in range(12):
            talks.append(Talk(server))
            server.tool("reload")
        equal(talks[0].read(), "goodbye 1")
        assert talks[-1].ask("pid")
        for talk in talks:
            talk.close()


def too_many_workers():
    with Fine(workers=1) as server:
        server.change("workers = 1", "workers = 60")
        holds(server.run_tool("reload").stderr, "so many more workers need the server to be stopped")
        with Talk(server) as talk:
            talk.ask("pid")


def drain_timeout():
    with Fine(config='drain_timeout = "1s"', workers=1) as server:
        with Talk(server) as old:
            server.tool("reload")
            equal(old.read(), "goodbye 1")
            equal(old.read(), "")


def bad_reloads():
    with Fine(workers=1) as server:
        with Talk(server) as talk:
            pid = talk.ask("pid")
        for line, code, error in (
                ("fine = { fail_start = true }", 1, "module 'fine' cannot start: told to fail in start"),
                ("fine = { fail_init = true }", 1, "module 'fine' cannot initialise: told to fail in init"),
                ('tls = { certificate = "/nowhere" }', 1, "/nowhere"),
                ('listen = { { protocol = "fine", address = "192.0.2.1:1" } }', 1, "192.0.2.1"),
                # The command reads the configuration, too, to find the server.
                ("fine = { greting = 'x' }", 3, "did you mean 'greeting'?"),
                ("fine = {", 3, "expected")):
            before = server.config.read_text()
            server.config.write_text(before + line + "\n")
            seen = len(server.lines)
            done = server.run_tool("reload")
            equal((line, done.returncode), (line, code))
            holds(done.stderr, error)
            if code == 1:
                holds(server.wait_log("reload failed, the old configuration keeps serving", seen), "level=error")
            server.config.write_text(before)
            with Talk(server) as talk:
                equal(talk.ask("pid"), pid)
        server.tool("reload")


def broken_configuration_on_hangup():
    with Fine(workers=1) as server:
        before = server.config.read_text()
        server.change("fine = {  }", "fine = { greting = 1 }")
        server.process.send_signal(signal.SIGHUP)
        holds(server.wait_log("reload failed"), "did you mean 'greeting'?")
        server.config.write_text(before)
        with Talk(server) as talk:
            equal(talk.greeting, "hello one")


def listeners_come_and_go():
    with Fine(workers=1) as server:
        other = posthorn_server.free_port()
        server.ports["other"] = other
        before = server.config.read_text()
        server.config.write_text(
            before + f'listen = {{ {{ protocol = "fine", address = "127.0.0.1:{other}", motto = "other" }} }}\n')
        with Talk(server) as old:
            pid = int(old.ask("pid"))
            server.tool("reload")
            with Talk(server, "other") as new:
                equal(new.greeting, "hello other")
            equal(int(old.ask("pid")), pid)
            # Nobody listens there any more, although a connection of that time goes on.
            try:
                Talk(server).close()
                raise Failure("the old listener is still there")
            except ConnectionRefusedError:
                pass


def optional_listener():
    """An address that another program has: a listener that is optional is left out, until the address is free."""
    with Fine(workers=1) as server, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        server.ports["other"] = taken.getsockname()[1]
        before = server.config.read_text()
        line = f'listen[2] = {{ protocol = "fine", address = "{address}", motto = "other", optional = %s }}\n'
        server.config.write_text(before + line % "false")
        equal(server.run_tool("reload").returncode, 1)
        server.config.write_text(before + line % "true")
        server.tool("reload")
        holds(server.wait_log("listener left out"), address)
        Talk(server).close()
        taken.close()
        server.tool("reload")
        with Talk(server, "other") as new:
            equal(new.greeting, "hello other")


def saved_policy():
    policy = 'local posthorn = require "posthorn"\n' \
             'posthorn.on("conn.accept", function(session) return posthorn.reject("%s") end)\n'
    with Fine(workers=1, policy=policy % "first") as server:
        equal(Talk(server).greeting, "goodbye 3")
        seen = len(server.lines)
        server.write_policy("posthorn.on(")
        holds(server.wait_log("policy changed", seen), "policy.lua")
        holds(server.wait_log("reload failed", seen), "policy.lua:1:")
        equal(Talk(server).greeting, "goodbye 3")
        server.write_policy("-- nothing to say")
        server.wait_log("reloaded", seen)
        equal(Talk(server).greeting, "hello one")
        # In place, as some editors do it.
        seen = len(server.lines)
        server.policy_file().write_text(policy % "again")
        server.wait_log("reloaded", seen)
        equal(Talk(server).greeting, "goodbye 3")


def workers_and_tools_talk():
    with Fine(workers=2) as server:
        talks = [Talk(server) for _ in range(20)]
        pids = {talk.ask("pid") for talk in talks}
        server.tool("fine", "say", "from a tool")
        for talk in talks:
            until("the bus has brought it", lambda talk=talk: talk.ask("heard") == "from a tool")
        if len(pids) == 2:
            talks[0].say("tell")
            own = talks[0].ask("pid")
            for talk in talks:
                if talk.ask("pid") != own:
                    until("the bus has brought it", lambda talk=talk: talk.ask("heard") == "told")
        for talk in talks:
            talk.close()


def log_is_reopened():
    with Fine(config='log = { format = "json" }') as server:
        record = json.loads(server.find_log(r"\bready\b"))
        equal((record["level"], record["msg"], record["process"]), ("info", "ready", "master"))
    folder_lines = 'log = { file = "posthorn.log" }'
    with Fine(workers=1) as server:
        log = server.folder / "posthorn.log"
        server.change("fine = {  }", "fine = {  }\n" + folder_lines)
        server.tool("reload")
        server.process.send_signal(signal.SIGHUP)
        until("the log is written", lambda: log.exists() and "reloaded" in log.read_text())
        log.rename(server.folder / "old.log")
        server.process.send_signal(signal.SIGHUP)
        until("the log is there again", lambda: log.exists() and "reloaded" in log.read_text())


def starts_that_fail():
    with Fine() as server:
        done = server.run_tool("serve")  # a second one
        equal(done.returncode, 1)
        holds(done.stderr, "a server runs already")
        server.stop()
        for old, new, code, error in (
                ("fine = {  }", "fine = { fail_start = true }", 1, "told to fail in start"),
                ("fine = {  }", "fine = { greting = 1 }", 3, "did you mean 'greeting'?")):
            before = server.config.read_text()
            server.change(old, new)
            done = server.run_tool("serve")
            equal(done.returncode, code)
            holds(done.stderr, error)
            server.config.write_text(before)


def command_line():
    server = Fine()
    server.prepare()
    try:
        for arguments, code, text in (
                ("--help", 0, "Commands:"),
                ("serve --help", 0, "Usage: posthorn [-c FILE] serve"),
                ("hooks --help", 0, "--markdown"),
                ("fine --help", 0, "fine say            "),
                ("fine say --help", 0, "Usage: posthorn [-c FILE] fine say WORD"),
                ("", 2, "Commands:"),
                ("sevre", 2, "did you mean 'serve'?"),
                ("fien say", 2, "did you mean 'fine'?"),
                ("fine sya x", 2, "did you mean 'say'?"),
                ("serve now", 2, "'now' is too much"),
                ("hooks --markdwn", 2, "did you mean '--markdown'?"),
                ("check", 0, "configuration OK"),
                ("config", 0, 'greeting = "hello"'),
                ("modules", 0, "needy: Needs another module."),
                ("modules fine", 0, "greeting (text, default hello): The first word."),
                ("modules nothing", 5, "there is no module 'nothing'"),
                ("modules foreign_number", 1, "made for module interface 99"),
                ("hooks", 0, "conn.accept"),
                ("hooks --markdown", 0, "conn.accept"),
                ("version", 0, "posthorn "),
                ("--version", 0, "posthorn "),
                ("status", 4, "no server answers"),
                ("reload", 4, "no server answers"),
                ("stop", 4, "no server answers"),
                ("fine say word", 0, "hello, word"),
                ("fine say missing", 5, ""),
                ("fine say", 2, "")):
            done = server.run_tool(*arguments.split())
            if done.returncode != code or text not in done.stdout + done.stderr:
                raise Failure(f"posthorn {arguments}: {done.returncode}, {done.stdout}{done.stderr}")
        equal(server.tool("fine", "say", "secret", input="hush\n"), "4\n")
        equal(server.run_tool("fine", "say", "secret", input="").returncode, 1)
        server.change("fine = {  }", "fine = { fail_init = true }")
        done = server.run_tool("check")
        equal(done.returncode, 3)
        holds(done.stderr, "told to fail in init")
    finally:
        server.clean()


def demo():
    """It prepares itself, and on a second start uses what is there."""
    if not all((BUILD / "modules" / ".libs" / f"{name}.so").exists() for name in posthorn_server.MODULES):
        print("# not built: the modules the demo needs")
        return
    if posthorn_server.tree_is_closed():
        refused = subprocess.run([posthorn_server.PROGRAM, "demo"], capture_output=True, text=True, check=False,
                                 env=dict(os.environ, DATA=str(BUILD / "demo")))
        equal(refused.returncode, 1)
        holds(refused.stderr, "who may not enter")
        return
    with tempfile.TemporaryDirectory(prefix="posthorn-test-") as folder:
        os.chmod(folder, 0o755)
        base = posthorn_server.free_port() // 1000 * 1000
        environment = dict(os.environ, DATA=folder + "/data", PORT_BASE=str(base))
        certificates = set()
        for _ in range(2):
            with subprocess.Popen([posthorn_server.PROGRAM, "demo"], env=environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True) as process:
                said = []
                for line in process.stdout:
                    said.append(line)
                    if line == "ready\n":
                        break
                process.send_signal(signal.SIGINT)
                rest, errors = process.communicate(timeout=posthorn_server.PATIENCE)
                if "in use" in errors:
                    print("# the ports of the demo are in use")
                    return
                equal((process.returncode, said[-1:], rest), (0, ["ready\n"], ""))
                holds("".join(said), "alice@demo.test  password ")
                holds("".join(said), f"127.0.0.1:{base + 25}")
            certificates.add(pathlib.Path(folder, "data", "demo.crt").read_text())
        equal(len(certificates), 1)
        equal(list(pathlib.Path(folder, "data").glob("*.old")), [])
        accounts = subprocess.run([posthorn_server.PROGRAM, "-c", folder + "/data/posthorn.lua", "account", "list"],
                                  capture_output=True, text=True, check=True).stdout
        holds(accounts, "bob@demo.test")


if __name__ == "__main__":
    if not (MODULES / "fine.so").exists():
        print("skipped: the test modules are not built")
        sys.exit(posthorn_server.SKIPPED)
    main([start_and_stop, idle_sessions_hear_of_the_end, worker_dies, worker_hangs, master_dies, good_reload,
          many_reloads, too_many_workers, drain_timeout, bad_reloads, broken_configuration_on_hangup,
          listeners_come_and_go, optional_listener, saved_policy, workers_and_tools_talk, log_is_reopened, starts_that_fail,
          command_line, demo])
