"""What Posthorn, GMime and Python's email read in a message, in one form.

A reading is a dictionary: "parts" is a list of (depth, type, body or None for what holds others), "part_fields" a list
beside it of {title: (raw value, what is read in it)}, and "fields" the same for the message's own fields. What is read
in a field: Subject: bytes; address lists: tuples (kind, name, local part, domain); Date: seconds or None; ids: their
tuple; Content-Type: its parameters as sorted pairs; Content-Disposition: the disposition and its parameters."""
import email
import email.header
import email.utils
import os
import struct
import subprocess

SOURCE = os.environ.get("SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ.get("BUILD", SOURCE)
ADDRESSES = ("from", "to", "cc")
IDS = ("message-id", "references")


def has_gmime():
    return os.path.exists(BUILD + "/tests/interop/gmime_dump")


def text_of(word):
    return b"" if word == "." else bytes.fromhex(word)


def pairs(words):
    """The first of those with one name counts."""
    found = {}
    for name, value in zip(words[::2], words[1::2]):
        found.setdefault(name, value)
    return tuple(sorted(found.items()))


def value_of(title, words):
    """What is read in a field, from the words behind its raw value."""
    if title in ADDRESSES:
        entries = [words[at:at + 4] for at in range(0, len(words), 4)]
        return tuple((entry[0], *map(text_of, entry[1:])) for entry in entries)
    if title == "date":
        return int(words[0]) if words else None
    texts = [text_of(word) for word in words]
    if title == "subject":
        return texts[0]
    if title == "type":
        return pairs(texts)
    if title == "disposition":
        return (texts[0], pairs(texts[1:]))
    return tuple(texts)


class Program:
    """A program that says what it reads in messages: mime_dump, gmime_dump."""

    def __init__(self, name):
        self.process = subprocess.Popen([BUILD + "/tests/interop/" + name], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, message):
        self.process.stdin.write(struct.pack(">I", len(message)) + message)
        self.process.stdin.flush()
        reading = {"parts": [], "part_fields": [], "fields": {}}
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("the program has ended at %r" % message)
            title, *words = line.decode("ascii").split()
            if title == "end":
                return reading
            if title == "part":
                body = None if words[2] == "-" else text_of(words[2])
                reading["parts"].append((int(words[0]), text_of(words[1]).decode("latin-1"), body))
                reading["part_fields"].append({})
            else:
                place = reading["part_fields"][-1] if title in ("type", "disposition") else reading["fields"]
                place[title] = (text_of(words[0]), value_of(title, words[1:]))

    def end(self):
        """A sanitizer tells of leaks now."""
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise RuntimeError("the program ended with status %d" % self.process.returncode)


# --- Python ---

def to_bytes(text):
    return text.encode("utf-8", "surrogateescape")


def decoded(text):
    """RFC 2047, as Python's own documentation puts the functions together."""
    try:
        return to_bytes(str(email.header.make_header(email.header.decode_header(text))))
    except (LookupError, UnicodeError, ValueError, email.errors.MessageError):
        return to_bytes(text)


def unfolded(raw):
    return raw.replace("\r\n", "").replace("\n", "").strip()


def python_addresses(raw):
    entries = []
    for name, address in email.utils.getaddresses([unfolded(raw)]):
        local, _, domain = address.rpartition("@") if "@" in address else (address, "", "")
        entries.append(("mailbox", decoded(name), to_bytes(local), to_bytes(domain)))
    return tuple(entries)


def python_date(raw):
    try:
        when = email.utils.parsedate_tz(unfolded(raw))
        return email.utils.mktime_tz(when) if when else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def python_params(part, header):
    """The value in front, and the parameters."""
    try:
        found = part.get_params(failobj=[("", "")], header=header)
    except (LookupError, UnicodeError, ValueError, TypeError):
        return "", ()
    params = [(to_bytes(name.lower()), decoded(email.utils.collapse_rfc2231_value(value))) for name, value in found[1:]]
    return found[0][0].lower(), pairs([text for param in params for text in param])


def first_raw(part, name):
    return next((value for key, value in part._headers if key.lower() == name), None)


class Python:
    """Python's email package with its oldest policy, which reads whatever it can."""

    def read(self, message):
        reading = {"parts": [], "part_fields": [], "fields": {}}
        try:
            top = email.message_from_bytes(message)
            self.read_part(top, 0, reading)
        except TypeError:  # it cannot put "name*0" and "name**" in order
            return {"parts": [], "part_fields": [{}], "fields": {}}
        for title in ("subject", *ADDRESSES, "date", *IDS):
            raw = first_raw(top, title)
            if raw is None:
                continue
            if title in ADDRESSES:
                value = python_addresses(raw)
            elif title == "date":
                value = python_date(raw)
            elif title == "subject":
                value = decoded(unfolded(raw))
            else:
                value = None
            reading["fields"][title] = (raw.encode("ascii", "surrogateescape"), value)
        return reading

    def read_part(self, part, depth, reading):
        content_type = part.get_content_type()
        children = part.get_payload() if part.is_multipart() else None
        body = None if children else part.get_payload(decode=True)
        reading["parts"].append((depth, content_type, body if children or body is not None else b""))
        fields = {}
        raw = first_raw(part, "content-type")
        if raw is not None:
            fields["type"] = (raw.encode("ascii", "surrogateescape"), python_params(part, "content-type")[1])
        raw = first_raw(part, "content-disposition")
        if raw is not None:
            value, params = python_params(part, "content-disposition")
            fields["disposition"] = (raw.encode("ascii", "surrogateescape"), (to_bytes(value), params))
        reading["part_fields"].append(fields)
        for child in children or ():
            self.read_part(child, depth + 1, reading)
