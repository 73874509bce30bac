#!/usr/bin/env python3
"""Bytes of the store's files are damaged: it is told what is lost, by account, mailbox and UID, and all else is
served."""

import imaplib
import pathlib
import poplib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import posthorn_server  # noqa: E402
from posthorn_server import PASSWORD, PATIENCE, Failure, Server  # noqa: E402

USER = "alice@demo.test"
LONG = "".join(f"line {number} of a long message\r\n" for number in range(6000))  # several chunks
LARGE = LONG * 4  # has a file of its own


def expect(condition, *what):
    if not condition:
        raise Failure(" ".join(map(str, what)))


def open_imap(server):
    imap = imaplib.IMAP4(*server.address("imap"), timeout=PATIENCE)
    imap.login(USER, PASSWORD)
    return imap


def append(server, *texts, mailbox="INBOX"):
    imap = open_imap(server)
    for text in texts:
        status, answer = imap.append(mailbox, None, None, text.encode())
        expect(status == "OK", answer)
    imap.logout()


def store_files(server):
    store = server.folder / "data" / "store"
    return [path for folder in ("journal", "large") for path in sorted((store / folder).iterdir())]


def damage(server, text):
    """Flips a bit where the text is first."""
    for path in store_files(server):
        at = path.read_bytes().find(text.encode())
        if at < 0:
            continue
        with open(path, "r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1]))
        return
    raise Failure(f"{text} is nowhere")


def expect_no(imap, command, *arguments, text):
    status, answer = getattr(imap, command)(*arguments)
    expect(status == "NO" and text in answer[0].decode(), command, arguments, status, answer)


def test_bytes_of_messages():
    with Server(accounts=[USER]) as server:
        append(server, "Subject: 1\r\n\r\nfirst words\r\n", "Subject: 2\r\n\r\nsecond words\r\n",
               "Subject: 3\r\n\r\n" + LONG, "Subject: 4\r\n\r\n" + LARGE)
        server.stop()
        damage(server, "second words")
        damage(server, "line 5500 of")
        server.start()
        imap = open_imap(server)
        imap.select()
        for _ in range(3):
            expect_no(imap, "uid", "FETCH", "2", "(BODY.PEEK[])", text="[CORRUPTION] the message with UID 2 is damaged")
            expect_no(imap, "uid", "FETCH", "3", "(BODY.PEEK[])", text="[CORRUPTION] the message with UID 3 is damaged")
        # What can be read is: the rest of the command, and the parts that are good.
        status, answer = imap.uid("FETCH", "1:4", "(BODY.PEEK[])")
        expect(status == "NO", answer)
        status, answer = imap.uid("FETCH", "3", "(BODY.PEEK[HEADER] BODY.PEEK[]<0.60000> ENVELOPE)")
        expect(status == "OK" and b"line 1000 of" in b"".join(part[1] for part in answer if isinstance(part, tuple)),
               status, answer)
        status, answer = imap.uid("FETCH", "2", "(ENVELOPE BODYSTRUCTURE FLAGS)")
        expect(status == "OK" and b'"2"' in answer[0], answer)
        status, answer = imap.uid("FETCH", "1,4", "(BODY.PEEK[])")
        expect(status == "OK" and len(answer) == 4, len(answer))
        imap.logout()
        pop3 = poplib.POP3(*server.address("pop3"), timeout=PATIENCE)
        pop3.user(USER)
        pop3.pass_(PASSWORD)
        for number in (2, 3):
            try:
                pop3.retr(number)
                raise Failure("a damaged message")
            except poplib.error_proto as error:
                expect(f"-ERR [SYS/PERM] the message with UID {number} is damaged" in str(error), error)
        expect(b"first words" in pop3.retr(1)[1], "another message")
        pop3.quit()
        for number in (2, 3):
            told = [line for line in server.lines if "bytes are damaged" in line and f"uid={number}" in line]
            expect(len(told) == 1 and f"account={USER} mailbox=INBOX" in told[0], told)
        done = server.run_tool("store", "check")
        for number in (2, 3):
            expect(f"{USER}\tINBOX\tUID {number}\tits bytes cannot be read" in done.stdout, done)
        expect(done.returncode == 1 and "4 messages, 2 faults" in done.stdout, done)


def flip(server, text, place):
    """Flips a bit at the place that is told for the bytes of the file of the journal that has the text."""
    for path in store_files(server):
        content = bytearray(path.read_bytes())
        if text in content:
            content[place(bytes(content))] ^= 1
            path.write_bytes(content)
            return
    raise Failure(f"{text} is nowhere")


def lose_index(server):
    for path in (server.folder / "data" / "store" / "index").iterdir():
        path.unlink()


def subjects(server, mailbox):
    imap = open_imap(server)
    imap.select(mailbox)
    status, answer = imap.fetch("1:*", "(UID BODY.PEEK[])")
    imap.logout()
    expect(status == "OK", answer)
    return [re.search(rb"Subject: (.*)\r\n", part[1])[1].decode() for part in answer if isinstance(part, tuple)]


def lose_record(place):
    with Server(accounts=[USER]) as server:
        append(server, "Subject: one\r\n\r\n1\r\n", "Subject: two\r\n\r\n2\r\n")
        append(server, "Subject: a needle\r\n\r\nhay\r\n", mailbox="Archive")
        append(server, "Subject: three\r\n\r\n3\r\n")
        append(server, "Subject: four\r\n\r\n4\r\n", mailbox="Archive")
        server.stop()
        flip(server, b"Subject: a needle", place)

        # As long as there is the index nothing is missing.
        server.start()
        expect(subjects(server, "Archive") == ["a needle", "four"], subjects(server, "Archive"))
        server.stop()

        start = len(server.lines)
        lose_index(server)
        server.start()
        server.wait_log("does not read back and is passed over", start)
        told = server.wait_log("the store lost changes", start)
        for word in (f"account={USER}", "mailbox=Archive", "uid=1", "is lost"):
            expect(word in told, word, told)
        expect(subjects(server, "INBOX") == ["one", "two", "three"], "the rest")
        expect(subjects(server, "Archive") == ["four"], "the rest of the mailbox")
        done = server.run_tool("store", "check")
        expect(done.returncode == 1 and f"{USER}\tArchive\tUID 1\tis lost" in done.stdout, done)
        server.stop()

        # Found again, it is not told again; told once more by repair it is forgotten.
        start = len(server.lines)
        lose_index(server)
        server.start()
        server.wait_log("does not read back and is passed over", start)
        expect(not server.find_log("the store lost changes", start), "told again")
        done = server.run_tool("store", "repair")
        expect(done.returncode == 0 and f"{USER}\tArchive\tUID 1\tis lost" in done.stdout, done)
        done = server.run_tool("store", "check")
        expect(done.returncode == 0 and "4 messages, 0 faults" in done.stdout, done)


def test_operations_of_a_record():
    # Behind the message's bytes the record has the summary, in which the subject is again.
    lose_record(lambda content: content.find(b"a needle", content.find(b"a needle") + 1))


def test_header_of_a_record():
    lose_record(lambda content: content.find(b"Subject: a needle") - 10)


if __name__ == "__main__":
    posthorn_server.require_server()
    posthorn_server.main([test_bytes_of_messages, test_operations_of_a_record, test_header_of_a_record])
