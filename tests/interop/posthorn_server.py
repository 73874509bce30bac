"""A configured Posthorn for tests: starts the program of the build tree in a temporary folder, waits until it is
ready, collects its log, and stops it.

    with Server(policy="posthorn.on('smtp.rcpt', function() ... end)") as server:
        smtplib.SMTP(*server.address("smtp"))

Every test gets its own folder, ports and accounts (alice and bob at demo.test, password "secret"), so that tests may
run side by side. Nothing here waits for a time to pass: it waits for a line of the log. Leaving the `with` checks
that the server ended cleanly and that no sanitizer complained."""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("POSTHORN_BUILD", os.getcwd())).resolve()
PROGRAM = BUILD / "posthorn"
CERTIFICATE = HERE / "localhost.pem"
SKIPPED = 77  # the exit code by which a test says that it could not run here
PATIENCE = float(os.environ.get("POSTHORN_TEST_TIMEOUT", "60"))  # seconds until a test that waits gives up

PASSWORD = "secret"
ACCOUNTS = ("alice@demo.test", "bob@demo.test")

# name -> the listener's fields in the configuration
LISTENERS = {
    "smtp": 'protocol = "smtp", tls = "starttls"',
    "submission": 'protocol = "submission", tls = "starttls"',
    "submissions": 'protocol = "submission", tls = "implicit"',
    "lmtp": 'protocol = "lmtp", tls = "starttls"',
    "imap": 'protocol = "imap", tls = "starttls"',
    "imaps": 'protocol = "imap", tls = "implicit"',
    "pop3": 'protocol = "pop3", tls = "starttls"',
    "pop3s": 'protocol = "pop3", tls = "implicit"',
    "example": 'protocol = "example"',
}
MODULES = ("kv_lmdb", "store", "mime", "address", "auth", "delivery", "smtp", "imap", "pop3", "example")

# What must not stand in the log of a server, whatever was done to it.
COMPLAINT = re.compile(r"ERROR: (Address|Leak|Undefined)\w*Sanitizer|runtime error: |assertion failed|panic")


class Failure(Exception):
    """The server did not do what the test needs; the text says what, with the end of the log."""


def lua_text(text):
    """A Lua string literal."""
    return json.dumps(str(text), ensure_ascii=False).replace("\\/", "/")


_given_ports = set()
_ports_lock = threading.Lock()


def free_port():
    """A port nobody listens on, below those the kernel gives to clients."""
    with _ports_lock:
        while True:
            port = random.randint(15000, 31000)
            if port in _given_ports:
                continue
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            _given_ports.add(port)
            return port


def copy_folder(source, target):
    """With the owners of what is in it, which matter when root runs the tests."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    for path in [source, *source.rglob("*")]:
        owner = path.stat()
        os.chown(target / path.relative_to(source), owner.st_uid, owner.st_gid)


def tree_is_closed():
    """Do tests run as root in a tree that the unprivileged workers may not enter, such as one below /root?"""
    return os.geteuid() == 0 and not all(folder.stat().st_mode & 0o001 for folder in (SOURCE, *SOURCE.parents))


def client_tls():
    """A client's TLS context that trusts the test certificate."""
    return ssl.create_default_context(cafile=str(CERTIFICATE))


def require(*programs):
    """Ends the test as skipped unless all these programs are installed."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        print("skipped: not installed: " + ", ".join(missing))
        raise SystemExit(SKIPPED)


def require_server():
    """Ends the test as skipped when the program or a module the standard configuration names was not built."""
    missing = [name for name in MODULES if not (BUILD / "modules" / f"{name}.la").exists()]
    if not PROGRAM.exists() or missing:
        print("skipped: not built: " + ", ".join(missing or ["posthorn"]))
        raise SystemExit(SKIPPED)


class Server:
    """options:
    policy     Lua source of a policy script, or a path of one; a list for several
    config     lines of Lua put behind the generated configuration
    listeners  name -> fields; added to the standard ones, or instead of them without standard_listeners
    workers    how many
    data       a data folder to begin with (copied), such as one with accounts
    accounts   addresses to create before the start
    plaintext_login   what all listeners say about it
    program    another posthorn than that of the build tree
    environment   variables that the server gets, but not the tools
    """

    def __init__(self, policy=None, config="", listeners=None, workers=1, data=None, accounts=ACCOUNTS,
                 modules=MODULES, plaintext_login=True, folder=None, standard_listeners=True, program=PROGRAM,
                 environment=None):
        self.program = program
        self.environment = environment or {}
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="posthorn-test-"))
        self.policies = policy if isinstance(policy, (list, tuple)) else [policy] if policy else []
        self.config_lines = config
        self.listeners = dict(LISTENERS if standard_listeners else {}, **(listeners or {}))
        self.workers = workers
        self.data = data
        self.accounts = accounts
        self.modules = modules
        self.plaintext_login = plaintext_login
        self.ports = {}
        self.process = None
        self.lines = []
        self._log_grew = threading.Condition()
        self._log_ended = False
        self._reader = None
        self.expect_crash = False  # set before killing the master without starting it again

    # --- life ---

    def __enter__(self):
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.kill()
            self.clean()
            raise
        return self

    def __exit__(self, kind, value, traceback):
        try:
            self.stop()
            if kind is None:
                self.check_log()
        finally:
            self.kill()
            self.clean(keep=kind is not None)

    def prepare(self):
        """Writes the configuration and makes the accounts."""
        data = self.folder / "data"
        if self.data:
            copy_folder(self.data, data)
        data.mkdir(exist_ok=True)
        if os.geteuid() == 0:  # the workers run as an unprivileged user that must get here
            self.folder.chmod(0o755)
        self.write_policies()
        self.write_config()
        for address in self.accounts:
            self.tool("account", "add", address, input=PASSWORD + "\n")

    def start(self):
        """Starts it and waits until it accepts connections. Takes other ports when somebody was faster."""
        for attempt in range(5):
            self._launch()
            seen = len(self.lines) if attempt else 0
            if self._wait(lambda: self.find_log(r"\bready\b", self._start_line) or self._log_ended):
                if self.find_log(r"\bready\b", self._start_line):
                    return
            if self.process.poll() is None or not self.find_log("in use", seen):
                break
            self.ports = {}
            self.write_config()
        raise Failure(f"the server did not start\n{self.log()}")

    def _launch(self):
        environment = dict(os.environ, LC_ALL="C", **self.environment)
        self._start_line = len(self.lines)
        self._log_ended = False
        self.process = subprocess.Popen([self.program, "-c", self.config, "serve"], cwd=self.folder, env=environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        self._reader = threading.Thread(target=self._read_log, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def _read_log(self, pipe):
        for line in pipe:
            with self._log_grew:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self._log_grew.notify_all()
        pipe.close()
        with self._log_grew:
            self._log_ended = True
            self._log_grew.notify_all()

    def stop(self):
        """Asks it to end, as an administrator does, and expects a clean end."""
        if not self.process or self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"the server did not stop\n{self.log()}") from None
        self._reader.join(PATIENCE)
        if status != 0 and not self.expect_crash:
            raise Failure(f"the server ended with status {status}\n{self.log()}")

    def kill(self):
        """Ends it and its workers at once, as a crash does."""
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
            self._reader.join(PATIENCE)

    def worker_pids(self):
        """The master's children."""
        found = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in found.split()]

    def clean(self, keep=False):
        if self.own_folder and not (keep and os.environ.get("POSTHORN_TEST_KEEP")):
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- configuration ---

    @property
    def config(self):
        return self.folder / "posthorn.lua"

    def policy_file(self, number=0):
        return self.folder / f"policy{number or ''}.lua"

    def write_policies(self):
        for number, policy in enumerate(self.policies):
            source = policy.read_text() if isinstance(policy, pathlib.Path) else policy
            self.write_policy(source, number)

    def write_policy(self, source, number=0):
        """Replaces a policy as an editor does: at once."""
        new = self.folder / "policy.new"
        new.write_text(source)
        new.chmod(0o644)
        new.rename(self.policy_file(number))

    def write_config(self):
        """Each standard listener is also a local variable NAME_listener, and each module has its table, so that lines
        behind can change them."""
        for name in self.listeners:
            self.ports.setdefault(name, free_port())
        scripts = ", ".join(lua_text(self.policy_file(number)) for number in range(len(self.policies)))
        lines = [
            'hostname = "mail.demo.test"',
            f"data_directory = {lua_text(self.folder / 'data')}",
            f"run_directory = {lua_text(self.folder / 'run')}",
            f"workers = {self.workers}",
            'domains = { "demo.test" }',
            f"modules = {{ {', '.join(map(lua_text, self.modules))} }}",
            f"tls = {{ certificate = {lua_text(CERTIFICATE)} }}",
            f"policy = {{ scripts = {{ {scripts} }}, library = {lua_text(self.library())} }}",
        ]
        lines += [f"{module} = {{}}" for module in self.modules]
        if "auth" in self.modules:
            lines.append('auth = { cost = 1, failure_delay = "10ms" }')
        lines.append("listen = {}")
        for number, (name, fields) in enumerate(self.listeners.items(), 1):
            address = lua_text(f"127.0.0.1:{self.ports[name]}")
            login = "" if "plaintext_login" in fields else f"plaintext_login = {str(self.plaintext_login).lower()}, "
            lines.append(f"listen[{number}] = {{ name = {lua_text(name)}, address = {address}, {login}{fields} }}")
            if name in LISTENERS:
                lines.append(f"local {name}_listener = listen[{number}]")
        self.config.write_text("\n".join(lines) + "\n" + self.config_lines + "\n")

    def library(self):
        """The folder of the Lua library: where it is, or a copy that the workers can read."""
        if not tree_is_closed():
            return SOURCE / "scripts"
        copy = self.folder / "scripts"
        if not copy.exists():
            shutil.copytree(SOURCE / "scripts", copy)
        return copy

    def address(self, listener):
        return ("127.0.0.1", self.ports[listener])

    def is_tls(self, listener):
        return 'tls = "implicit"' in self.listeners[listener]

    # --- other commands of the program ---

    def run_tool(self, *arguments, input=None):
        """Runs `posthorn -c CONFIG ARGUMENTS` and returns what became of it."""
        return subprocess.run([self.program, "-c", self.config, *arguments], input=input, text=True, cwd=self.folder,
                              capture_output=True, timeout=PATIENCE, check=False)

    def tool(self, *arguments, input=None):
        """The same, for a command that must succeed; returns what it printed."""
        done = self.run_tool(*arguments, input=input)
        if done.returncode != 0:
            raise Failure(f"posthorn {' '.join(arguments)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    # --- the log ---

    def log(self, last=60):
        return "\n".join(self.lines[-last:])

    def find_log(self, pattern, start=0):
        """The first line from number `start` on that the pattern is found in, or None."""
        return next((line for line in self.lines[start:] if re.search(pattern, line)), None)

    def _wait(self, ready, patience=PATIENCE):
        with self._log_grew:
            return self._log_grew.wait_for(ready, patience)

    def wait_log(self, pattern, start=0, patience=PATIENCE):
        """Waits until the log has such a line from number `start` on, and returns it."""
        self._wait(lambda: self.find_log(pattern, start) or self._log_ended, patience)
        if not self.find_log(pattern, start):
            raise Failure(f"the log never said {pattern!r}\n{self.log()}")
        return self.find_log(pattern, start)

    def check_log(self):
        complaint = next((n for n, line in enumerate(self.lines) if COMPLAINT.search(line)), None)
        if complaint is not None:
            raise Failure("complaints in the log:\n" + "\n".join(self.lines[complaint:complaint + 60]))


def main(tests):
    """Runs functions one after the other, prints which failed, and ends the program as a test runner expects."""
    failed = 0
    for test in tests:
        try:
            test()
            print(f"ok - {test.__name__}", flush=True)
        except Exception as error:  # whatever it is, the others still run
            failed += 1
            print(f"not ok - {test.__name__}: {type(error).__name__}: {error}", flush=True)
    raise SystemExit(1 if failed else 0)
