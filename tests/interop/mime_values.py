"""Values of fields as the RFCs allow them, made at random: comments, folds, quotes, groups, encoded words, pieces."""
import base64
import quopri

ATOMS = ["a", "Alice", "x-1", "o'hara", "=?utf-8?q?J=C3=BCrgen?=", "=?iso-8859-1?b?5Gg=?=", "mail", "Z9"]
QUOTED = ['"a b"', '"Smith, John"', r'"say \"hi\""', '""', '"a@b"', '"(x)"', '"<y>"', '"c;d:e"', '"back\\\\slash"']
COMMENTS = ["(a comment)", "(one (two))", r"(an escaped \) one)", "()", "(x, y; z)"]
TEXTS = ["Grüße aus Köln", "naïve", "Ω", "日本語", "a b", "=?", "x_y", "plain"]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
ZONES = ["+0000", "-0330", "+1345", "GMT", "UT", "EST", "PDT"]


def space(chance):
    """White space, perhaps with a fold and a comment."""
    kind = chance.random()
    if kind < 0.7:
        return " "
    return " " + chance.choice(COMMENTS) + " " if kind < 0.85 else "\r\n "


def dotted(chance):
    return ".".join(chance.choice(["a", "bob", "x-1", "q9", "o'h"]) for _ in range(chance.randint(1, 3)))


def address(chance):
    local = dotted(chance) if chance.random() < 0.85 else chance.choice(['"a b"', '"a@b"', r'"q\"q"', '"x,y"'])
    domain = dotted(chance).replace("'", "") if chance.random() < 0.85 else chance.choice(["[192.0.2.1]", "[IPv6:2001:db8::1]"])
    return local + "@" + domain


def mailbox(chance):
    if chance.random() < 0.3:
        return address(chance)
    words = [chance.choice(ATOMS + QUOTED if chance.random() < 0.5 else ATOMS) for _ in range(chance.randint(0, 3))]
    return "".join(word + space(chance) for word in words) + "<" + address(chance) + ">"


def addresses(chance):
    entries = []
    for _ in range(chance.randint(1, 4)):
        if chance.random() < 0.2:
            members = ",".join(mailbox(chance) for _ in range(chance.randint(0, 2)))
            entries.append(chance.choice(["friends", '"our, friends"', "A Group"]) + ":" + members + ";")
        else:
            entries.append(mailbox(chance))
    return ("," + space(chance)).join(entries)


def date(chance):
    seconds = ":%02d" % chance.randrange(60) if chance.random() < 0.8 else ""
    return "%d%s%s %d%s%02d:%02d%s %s%s" % (
        chance.randint(1, 28), space(chance), chance.choice(MONTHS), chance.randint(1970, 2037), space(chance),
        chance.randrange(24), chance.randrange(60), seconds, chance.choice(ZONES), chance.choice(["", " (CET)"]))


def ids(chance):
    return " ".join("<%s@%s>" % (dotted(chance), dotted(chance)) for _ in range(chance.randint(1, 4)))


def encoded_word(chance):
    charset = chance.choice(["utf-8", "iso-8859-1", "UTF-8"])
    text = chance.choice(TEXTS).encode(charset, "replace")
    if chance.random() < 0.5:
        return "=?%s?B?%s?=" % (charset, base64.b64encode(text).decode())
    return "=?%s?Q?%s?=" % (charset, quopri.encodestring(text, header=True).decode().replace("?", "=3F"))


def subject(chance):
    words = [encoded_word(chance) if chance.random() < 0.4 else chance.choice(["Re:", "[list]", "hello", "a=b", "x?", "(y)"])
             for _ in range(chance.randint(1, 6))]
    return "".join(word + chance.choice([" ", " ", "\r\n "]) for word in words).strip()


def escaped(text):
    return "".join(chr(byte) if chr(byte).isalnum() else "%%%02X" % byte for byte in text.encode())


def params(chance):
    text, pieces = chance.choice(TEXTS), []
    kind = chance.randrange(5)
    if kind == 0:
        pieces = ["name=" + chance.choice(["x.txt", '"a b.txt"', r'"a\"b"', '"=?utf-8?q?=C3=A4.txt?="'])]
    elif kind == 1:
        pieces = ["name*=utf-8''" + escaped(text)]
    elif kind == 2:
        cut = chance.randint(0, len(text))
        pieces = ["name*0*=utf-8'de'" + escaped(text[:cut]), "name*1*=" + escaped(text[cut:])]
    elif kind == 3:
        pieces = ["name*%d=%s" % (number, chance.choice(["ab", '"c d"', "e.f"])) for number in range(chance.randint(1, 4))]
        chance.shuffle(pieces)
    pieces.append("size=%d" % chance.randrange(100))
    return "".join(";" + chance.choice([" ", "\r\n "]) + piece for piece in pieces)


def content_type(chance):
    return chance.choice(["text/plain", "image/png", "Application/PDF"]) + params(chance)


def disposition(chance):
    return chance.choice(["attachment", "inline"]) + params(chance)


MAKERS = {"subject": subject, "from": addresses, "date": date, "references": ids, "type": content_type,
          "disposition": disposition}


def make(count, chance):
    """{title: values}, `count` for each."""
    return {title: {b" " + maker(chance).encode() for _ in range(count)} for title, maker in MAKERS.items()}
