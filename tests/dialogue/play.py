#!/usr/bin/env python3
"""Plays dialogues: text files that say what clients send and what the server must answer. README.md tells the format.

    play.py [-j N] [-v] [--over-memory] [FILE.dlg ...]        all files beside this program when none is named
"""

import argparse
import base64
import concurrent.futures
import pathlib
import re
import shutil
import socket
import struct
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))
import posthorn_server  # noqa: E402

# The server over kv_memory, at its least: one partition in an update. Its accounts come from inside.
MEMORY_MODULES = ("kv_memory", *posthorn_server.MODULES[1:], "accounts")
MEMORY_FOLDERS = (posthorn_server.BUILD / "modules/.libs", posthorn_server.BUILD / "tests/modules/.libs")
MEMORY_CONFIG = f"""module_directories = {{ {", ".join(map(posthorn_server.lua_text, MEMORY_FOLDERS))} }}
kv_memory.atomic_partitions = false"""

READ_TIMEOUT = 10 * posthorn_server.PATIENCE / 60
LINE_MAX = 1 << 20

SETTING = re.compile(r"@(\w+)\s*=\s*(.*)")
LISTENER = re.compile(r"(\w+)\s*\{(.*)\}$")
STEP = re.compile(r"(\w+) (->|<~|<\*|<\||<close|<|>\||>close|>shutdown|>reset|>|starttls)(?: (.*))?$")
# A word to expect, in the order in which they are tried.
WILD = re.compile(r"\[\*\]|\[\$\]|\*|\$[A-Za-z_]\w*")


class Mismatch(Exception):
    """What came is not what the dialogue says."""


class Step:
    def __init__(self, number, text):
        found = STEP.match(text)
        if not found:
            raise ValueError(f"line {number}: not a step: {text}")
        self.number = number
        self.source = text
        self.name, self.verb, argument = found.groups()
        self.argument = argument or ""


class Dialogue:
    """One file: its settings and its steps."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.policies, self.config, self.listeners, self.steps = [], [], {}, []
        self.shared = False
        self.workers = 1
        lines = iter(enumerate(self.path.read_text("latin-1").split("\n"), 1))
        for number, line in lines:
            if not line or line.startswith("#"):
                continue
            if line.startswith("@"):
                self._set(number, line, lines)
            else:
                self.steps.append(Step(number, line))

    def _set(self, number, line, lines):
        found = SETTING.match(line)
        key, value = found.groups() if found else (None, None)
        if key == "policy":
            self.policies.append(self._block(lines) if value == "{" else self._policy_path(value))
        elif key == "config":
            self.config.append(value)
        elif key == "listener" and LISTENER.match(value):
            self.listeners.update([LISTENER.match(value).groups()])
        elif key == "workers":
            self.workers = int(value)
        elif key == "shared" and value == "yes":
            self.shared = True
        else:
            raise ValueError(f"line {number}: not a setting: {line}")

    @staticmethod
    def _block(lines):
        """The lines up to `@}`."""
        source = []
        for _, line in lines:
            if line == "@}":
                return "\n".join(source).encode("latin-1").decode()
            source.append(line)
        raise ValueError("a policy without its @}")

    def _policy_path(self, name):
        for folder in (self.path.parent, posthorn_server.SOURCE / "scripts" / "policy"):
            if (folder / name).exists():
                return folder / name
        raise ValueError(f"there is no policy {name}")

    def group(self):
        """Dialogues of one group may be played one after the other on one server."""
        if not self.shared:
            return str(self.path)
        return repr((self.policies, self.config, self.listeners, self.workers))


class Client:
    """One connection of a dialogue."""

    def __init__(self, address, tls):
        self.socket = socket.create_connection(address, READ_TIMEOUT)
        self.buffer = b""
        if tls:
            self.start_tls()

    def start_tls(self):
        if self.buffer:
            raise Mismatch(f"the server sent before TLS began: {self.buffer!r}")
        self.socket = posthorn_server.client_tls().wrap_socket(self.socket, server_hostname="localhost")

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        """One read; False at the end."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        except TimeoutError:
            raise Mismatch(f"nothing came; buffered: {self.buffer!r}") from None
        self.buffer += data
        return bool(data)

    def line(self):
        """The next line without CRLF; None when the server closed."""
        while b"\n" not in self.buffer:
            if len(self.buffer) > LINE_MAX or not self._more():
                if self.buffer:
                    raise Mismatch(f"an unfinished line: {self.buffer[:200]!r}")
                return None
        line, self.buffer = self.buffer.split(b"\n", 1)
        if not line.endswith(b"\r"):
            raise Mismatch(f"a line that ends without CR: {line!r}")
        return line[:-1].decode("latin-1")

    def exactly(self, count):
        while len(self.buffer) < count and self._more():
            pass
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def expect_close(self):
        if self.buffer or self._more():
            raise Mismatch(f"the server did not close but sent {self.buffer[:200]!r}")

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def unescape(text):
    """\\r \\n \\t \\0 \\xNN and \\\\ of the raw steps."""
    simple = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
    return re.sub(r"\\(?:x([0-9a-fA-F]{2})|(.))",
                  lambda found: chr(int(found[1], 16)) if found[1] else simple[found[2]], text)


class Player:
    """Plays one dialogue on a running server."""

    def __init__(self, server, dialogue):
        self.server = server
        self.dialogue = dialogue
        self.clients = {}
        self.bound = {}
        self.log_position = len(server.lines)

    def play(self):
        """None, or a text that says what went wrong where."""
        for step in self.dialogue.steps:
            try:
                self._do(step)
            except (Mismatch, OSError, KeyError, posthorn_server.Failure) as error:
                return (f"{self.dialogue.path.name}:{step.number}: {step.source}\n"
                        f"    {type(error).__name__}: {error}")
        for client in self.clients.values():
            client.socket.close()
        return None

    def _do(self, step):
        if step.name == "log":
            return self._expect_log(step)
        if step.verb == "->":
            listener = step.argument
            self.clients[step.name] = Client(self.server.address(listener), self.server.is_tls(listener))
            return None
        client = self.clients[step.name]
        return {
            ">": lambda: client.send(self._fill(step.argument).encode("latin-1") + b"\r\n"),
            ">|": lambda: client.send(unescape(self._fill(step.argument)).encode("latin-1")),
            ">close": client.socket.close,
            ">shutdown": lambda: client.socket.shutdown(socket.SHUT_WR),
            ">reset": client.reset,
            "starttls": client.start_tls,
            "<": lambda: self._match(self._pattern(step.argument), client.line()),
            "<~": lambda: self._match(re.compile(step.argument), client.line()),
            "<*": lambda: self._skip_to(self._pattern(step.argument), client),
            "<|": lambda: self._expect_raw(step.argument, client),
            "<close": client.expect_close,
        }[step.verb]()

    def _fill(self, text):
        """What to send: $name is what was bound, {x*80} a repetition, {base64:x} encoded."""
        text = re.sub(r"\$([A-Za-z_]\w*)", lambda found: self.bound.get(found[1], found[0]), text)
        text = re.sub(r"\{([^{}]+)\*(\d+)\}", lambda found: found[1] * int(found[2]), text)
        return re.sub(r"\{base64:([^{}]*)\}", lambda found: base64.b64encode(
            unescape(found[1]).encode("latin-1")).decode(), text)

    def _pattern(self, text):
        """The expectation as a regular expression."""
        result, seen = "", set()
        if text.startswith("* "):  # an untagged response
            result, text = r"\* ", text[2:]
        position = 0
        for found in WILD.finditer(text):
            result += re.escape(text[position:found.start()])
            position = found.end()
            word = found[0]
            if word == "*":
                result += ".*"
            elif word.startswith("["):
                result += re.escape(word[1])
            elif word[1:] in self.bound:
                result += re.escape(self.bound[word[1:]])
            elif word[1:] in seen:
                result += f"(?P={word[1:]})"
            else:
                result += rf"(?P<{word[1:]}>\S+?)"
                seen.add(word[1:])
        return re.compile(result + re.escape(text[position:]), re.DOTALL)

    def _match(self, pattern, line):
        found = None if line is None else pattern.fullmatch(line)
        if not found:
            raise Mismatch("the server closed" if line is None else f"came: {line}")
        self.bound.update(found.groupdict())

    def _skip_to(self, pattern, client):
        skipped = []
        while True:
            line = client.line()
            if line is None:
                raise Mismatch(f"the server closed; came before: {skipped}")
            found = pattern.fullmatch(line)
            if found:
                return self.bound.update(found.groupdict())
            skipped.append(line)

    @staticmethod
    def _expect_raw(text, client):
        wanted = unescape(text).encode("latin-1")
        came = client.exactly(len(wanted))
        if came != wanted:
            raise Mismatch(f"came: {came!r}")

    def _expect_log(self, step):
        if step.verb != "<":
            raise Mismatch("the log can only be read")
        pattern = self._pattern(f"*{step.argument}*").pattern
        self.server.wait_log(f"^{pattern}$", self.log_position, READ_TIMEOUT)


def missing_listeners(dialogue, server):
    wanted = {step.argument for step in dialogue.steps if step.verb == "->"}
    return sorted(wanted - set(server.listeners))


class Run:
    """All dialogues, each group on its own server, some side by side."""

    def __init__(self, dialogues, accounts, verbose):
        """`accounts` is a data folder that has them; None: over memory."""
        self.dialogues = dialogues
        self.accounts = accounts
        self.verbose = verbose
        self.failures = 0
        self.lock = threading.Lock()

    def report(self, dialogue, trouble, log=""):
        with self.lock:
            if trouble:
                self.failures += 1
                print(f"not ok - {dialogue.path.name}\n  {trouble}\n{log}", flush=True)
            elif self.verbose:
                print(f"ok - {dialogue.path.name}", flush=True)

    def play_group(self, group):
        first = group[0]
        config = first.config if self.accounts else [MEMORY_CONFIG, *first.config]
        server = posthorn_server.Server(policy=first.policies, config="\n".join(config), data=self.accounts,
                                        modules=posthorn_server.MODULES if self.accounts else MEMORY_MODULES,
                                        listeners=first.listeners, workers=first.workers, accounts=())
        try:
            with server:
                for dialogue in group:
                    missing = missing_listeners(dialogue, server)
                    start = len(server.lines)
                    trouble = f"no such listener: {missing}" if missing else Player(server, dialogue).play()
                    self.report(dialogue, trouble, "\n".join("    | " + line for line in server.lines[start:]))
        except posthorn_server.Failure as error:
            self.report(first, f"the server: {error}")

    def play(self, jobs):
        groups = {}
        for dialogue in self.dialogues:
            groups.setdefault(dialogue.group(), []).append(dialogue)
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for done in [pool.submit(self.play_group, group) for group in groups.values()]:
                done.result()


def play_over_disk(dialogues, chosen):
    """The accounts are made once; every server begins with a copy."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="posthorn-accounts-"))
    try:
        made = posthorn_server.Server(folder=folder)
        made.prepare()
        run = Run(dialogues, folder / "data", chosen.v)
        run.play(chosen.j)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return run


def play_over_memory(dialogues, chosen):
    run = Run([dialogue for dialogue in dialogues if dialogue.workers == 1], None, chosen.v)
    run.play(chosen.j)
    return run


def main():
    arguments = argparse.ArgumentParser(description="Plays dialogues with a real server.")
    arguments.add_argument("-j", type=int, default=4, metavar="N", help="so many servers side by side")
    arguments.add_argument("-v", action="store_true", help="name the good ones, too")
    arguments.add_argument("--over-memory", action="store_true",
                           help="the server keeps its mail in memory; dialogues with several workers are left out")
    arguments.add_argument("files", nargs="*", metavar="FILE.dlg")
    chosen = arguments.parse_args()
    posthorn_server.require_server()
    dialogues = [Dialogue(path) for path in chosen.files or sorted(HERE.glob("*.dlg"))]
    run = play_over_memory(dialogues, chosen) if chosen.over_memory else play_over_disk(dialogues, chosen)
    print(f"{len(run.dialogues)} dialogues, {run.failures} failed")
    raise SystemExit(1 if run.failures else 0)


if __name__ == "__main__":
    main()
