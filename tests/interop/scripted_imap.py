"""An IMAP server that says what a test wants: rules of (pattern of a command, answer), the first that fits once the
client said such a line. It runs in a thread, serves one connection after the other, and keeps what it was told.

    with Scripted({r"EXAMINE \"INBOX\"": "* 1 EXISTS\\r\\n{tag} OK done\\r\\n"}) as server:
        ...server.port, server.lines

An answer is text (CRLF at the ends of lines, {tag} for the command's), bytes, or a function of the socket and the tag;
after one that is None the connection is closed."""

import re
import socket
import threading

USUAL = {
    r"CAPABILITY": "* CAPABILITY IMAP4rev1\r\n{tag} OK\r\n",
    r"LOGIN": "{tag} OK\r\n",
    r'LIST "" "\*"': '* LIST () "/" INBOX\r\n{tag} OK\r\n',
    r"LIST|LSUB": "{tag} OK\r\n",
    r"LOGOUT": "* BYE\r\n{tag} OK\r\n",
}


class Scripted:
    def __init__(self, rules, greeting="* OK hello\r\n"):
        self.rules = [*rules.items(), *USUAL.items()]
        self.greeting = greeting
        self.lines = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.thread.join()

    def run(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection:
                try:
                    self.serve(connection)
                except OSError:
                    pass  # a client may go when it has seen enough

    def serve(self, connection):
        connection.settimeout(60)
        connection.sendall(self.greeting.encode("latin-1"))
        for line in connection.makefile("rb"):
            tag, _, command = line.decode("latin-1").rstrip("\r\n").partition(" ")
            self.lines.append(command)
            answer = next((answer for pattern, answer in self.rules if re.match(pattern, command)), "{tag} BAD\r\n")
            if callable(answer):
                answer = answer(connection, tag)
            if answer is None:
                return
            if isinstance(answer, str):
                answer = answer.replace("{tag}", tag).encode("latin-1")
            connection.sendall(answer)
