#!/usr/bin/env python3
"""Tests the player itself, with a fake server that says what it is told to."""

import pathlib
import socket
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
import play  # noqa: E402
import posthorn_server  # noqa: E402


class FakeServer:
    """Greets, and answers each line it reads with the next of its answers; closes after the last."""

    def __init__(self, *answers):
        self.answers = answers
        self.heard = b""
        self.lines = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rb") as lines:
            for answer in self.answers:
                connection.sendall(answer)
                self.heard += lines.readline()

    def address(self, _listener):
        return self.listener.getsockname()

    def is_tls(self, _listener):
        return False


def played(server, text):
    with tempfile.NamedTemporaryFile("w", suffix=".dlg") as file:
        file.write(text)
        file.flush()
        return play.Player(server, play.Dialogue(file.name)).play()


def test_matching():
    server = FakeServer(b"* OK [X 17] hi\r\n", b"* 2 EXISTS\r\n* FLAGS (\\Seen \\*)\r\nx 17\r\na OK done\r\n", b"bye\r\n")
    trouble = played(server, "# a comment\nc -> any\nc < * OK [X $number] *\nc > go {x*3} $number {base64:\\0a}\n"
                     "c <* * FLAGS (\\Seen \\*)\nc < x $number\nc <~ a (OK|NO) \\w+\nc > end\nc < bye\n"
                     "c >shutdown\nc <close\n")
    assert trouble is None, trouble
    assert server.heard == b"go xxx 17 AGE=\r\nend\r\n", server.heard


def test_raw():
    server = FakeServer(b"+OK\r\n", b"\x00\xff\r\n")
    trouble = played(server, "c -> any\nc < +OK\nc >| a\\x00\\r\\n\nc <| \\x00\\xff\\r\\n\n")
    assert trouble is None, trouble
    assert server.heard == b"a\x00\r\n", server.heard


def test_mismatches():
    for answer, steps in ((b"no\r\n", "c < yes\n"), (b"1 2\r\n", "c < $n $n\n"), (b"bare\n", "c < bare\n"),
                          (b"more\r\n", "c <close\n"), (b"a b\r\n", "c < $one\n"), (b"8\r\n", "c < [*]\n")):
        trouble = played(FakeServer(answer), "c -> any\n" + steps)
        assert trouble and ":2: " in trouble, (answer, steps, trouble)


def test_settings():
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "x.dlg"
        file.write_text("@shared = yes\n@config = smtp.a = 1\n@policy = {\nline\n@}\n"
                        '@listener = quick { protocol = "pop3" }\n')
        dialogue = play.Dialogue(file)
    assert dialogue.shared and dialogue.config == ["smtp.a = 1"] and dialogue.policies == ["line"]
    assert dialogue.listeners == {"quick": ' protocol = "pop3" '}


posthorn_server.main([test_matching, test_raw, test_mismatches, test_settings])
