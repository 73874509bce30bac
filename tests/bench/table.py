#!/usr/bin/env python3
"""Turns what `run` measured into Markdown: Posthorn beside the peers with the goals, then all figures.

  table.py RESULTS [--goals]    --goals: only the first table

A figure is the median over the runs. Where a peer was measured with several ways to store mail, Posthorn is compared
with the better one. A line of the first table whose figures were not measured is left out."""

import argparse
import fnmatch
import statistics

# suite -> the figures worth a column, in order
COLUMNS = {
    "limits": ["msgs_s", "p50_ms", "p95_ms", "gen_cpu"],
    "ingest": ["msgs_s", "thru_s", "MB_s", "p50_ms", "p95_ms", "cpu_ms_msg", "gen_cpu", "load"],
    "burst": ["count", "msgs_s", "last_s", "load"],
    "pop3": ["sessions_s", "msgs_s", "MB_s", "p50_ms", "p95_ms", "cpu_ms_sess"],
    "imap": ["cmds_s", "n", "p50_ms", "p95_ms", "p99_ms", "cpu_ms_cmd"],
    "fetch": ["MB_s", "msgs_s", "cpu_s_GB"],
    "big": ["ms", "bytes"],
    "idle": ["logins_s", "procs", "pss_per", "private_per", "kernel_per"],
    "push": ["p50_ms", "p95_ms", "max_ms"],
}

MORE, LESS = "times as much", "of it"


class Goal:
    """What is to be reached: figure `figure` of `case` (a pattern) must be so many times the peer's (MORE), or at most
    1/so many (LESS)."""

    def __init__(self, what, suite, case, figure, ours, peers, direction, least, wanted):
        self.what, self.suite, self.case, self.figure = what, suite, case, figure
        self.ours, self.peers, self.direction = ours, peers, direction
        self.least, self.wanted = least, wanted


def ingest_goals():
    for size in ("1k", "10k", "100k", "5m"):
        for connections in (1, 10, 100):
            case = f"{size} x{connections}"
            small = size in ("1k", "10k")
            smtp = (4, 5) if size == "5m" else (5, 8) if small and connections == 1 else (15, 30) if small else None
            lmtp = (2, 2.5) if size == "5m" else (8, 10) if small and connections > 1 else None
            cpu = (20, 30) if small and connections > 1 else None
            for what, figure, ours, peers, direction, goal in (
                    ("SMTP messages/s", "thru_s", "posthorn-smtp", "postfix-dovecot-*", MORE, smtp),
                    ("SMTP CPU ms/message", "cpu_ms_msg", "posthorn-smtp", "postfix-dovecot-*", LESS, cpu),
                    ("LMTP messages/s", "thru_s", "posthorn-lmtp", "dovecot-lmtp-*", MORE, lmtp),
                    ("LMTP CPU ms/message", "cpu_ms_msg", "posthorn-lmtp", "dovecot-lmtp-*", LESS, None)):
                yield Goal(f"{what}, {case}", "ingest", case, figure, ours, peers, direction, *(goal or (None, None)))
    yield Goal("burst, messages/s in their mailboxes", "burst", "burst", "last_s", "posthorn", "postfix-dovecot-*",
               MORE, 12, 19)


def client_goals():
    for connections in (1, 10, 50):
        yield Goal(f"POP3 CPU ms/session, x{connections}", "pop3", f"pop3 x{connections}", "cpu_ms_sess", "posthorn",
                   "dovecot-*", LESS, 4, 5)
        yield Goal(f"IMAP mix CPU ms/command, x{connections}", "imap", f"imap x{connections} total", "cpu_ms_cmd",
                   "posthorn", "dovecot-*", LESS, 6, 10)
    for way, least, wanted in (("plain", 2, 2.5), ("tls", 5, 7)):
        yield Goal(f"bulk download MB/s, {way}", "fetch", f"fetch {way}", "MB_s", "posthorn", "dovecot-*", MORE, least,
                   wanted)


def big_goals():
    for when, command, least, wanted in (
            ("first", "SELECT INBOX", 4, 10), ("again", "SELECT INBOX", None, None),
            ("again", "UID FETCH 1:* (FLAGS)", 3, 4), ("again", "UID FETCH 1:* (ENVELOPE)", 4, 6),
            ("again", 'UID SEARCH FROM "bakeba"', 10, 20), ("again", 'UID SEARCH SUBJECT "limono"', 10, 20),
            ("again", 'UID SEARCH TEXT "quiquiqui"', 5, 10),
            ("first", "UID SORT (REVERSE DATE) UTF-8 ALL", 10, 20),
            ("again", "UID SORT (REVERSE DATE) UTF-8 ALL", 3, 5),
            ("first", "UID THREAD REFERENCES UTF-8 ALL", 10, 20),
            ("again", "UID THREAD REFERENCES UTF-8 ALL", 3, 5)):
        yield Goal(f"large mailbox: {command}, {when}, ms", "big", f"{when} {command}", "ms", "posthorn",
                   "dovecot-*", LESS, least, wanted)


def idle_goals():
    for tls, awake, asleep in (("plain", (50, 80), (2, None)), ("tls", (25, 35), (3, None))):
        for profile, goal in (("tuned", awake), ("hibernate", asleep)):
            yield Goal(f"bytes/idle connection, {tls}, against {profile}", "idle", f"idle * {tls}", "memory_per",
                       "posthorn", f"dovecot-{profile}", LESS, *goal)
    yield Goal("push p50 ms", "push", "idle *", "p50_ms", "posthorn", "dovecot-tuned", LESS, 50, 100)
    yield Goal("logins/s", "idle", "idle * plain", "logins_s", "posthorn", "dovecot-*", MORE, 10, 20)


GOALS = [*ingest_goals(), *client_goals(), *big_goals(), *idle_goals()]


def load(path):
    """(suite, case, peer) -> figure -> values, in the order of the file."""
    rows = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            suite, peer, case, _run, rest = line.rstrip("\n").split("\t", 4)
            figures = rows.setdefault((suite, case, peer), {})
            for word in rest.split():
                key, _, value = word.partition("=")
                try:
                    figures.setdefault(key, []).append(float(value))
                except ValueError:
                    pass
            if "pss_per" in figures:
                pairs = zip(figures["pss_per"], figures["kernel_per"])
                figures["memory_per"] = [user + kernel for user, kernel in pairs]
    return rows


def number(value):
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def medians(rows, goal, peers):
    """(median, peer) for every peer and case that the goal means."""
    return [(statistics.median(figures[goal.figure]), peer) for (suite, case, peer), figures in rows.items()
            if suite == goal.suite and fnmatch.fnmatchcase(peer, peers) and goal.figure in figures
            and (case == goal.case or "*" in goal.case and fnmatch.fnmatchcase(case, goal.case))]


def ratio_text(direction, ratio):
    return f"{ratio:.1f}x" if direction == MORE else f"1/{ratio:.1f}"


def goal_line(rows, goal):
    best = max if goal.direction == MORE else min
    worst = min if goal.direction == MORE else max
    ours, peers = medians(rows, goal, goal.ours), medians(rows, goal, goal.peers)
    if not ours or not peers:
        return None
    mine, (other, peer) = worst(ours)[0], best(peers)
    if min(mine, other) <= 0:  # too few ticks of the CPU's clock to say anything
        return None
    ratio = mine / other if goal.direction == MORE else other / mine
    reached = "" if goal.least is None else "yes" if ratio >= goal.least else "no"
    least = "" if goal.least is None else ratio_text(goal.direction, goal.least)
    wanted = "" if goal.wanted is None else ratio_text(goal.direction, goal.wanted)
    return (f"| {goal.what} | {number(mine)} | {number(other)} | {peer} | {ratio_text(goal.direction, ratio)} | "
            f"{least} | {wanted} | {reached} |")


def print_goals(rows):
    lines = [line for line in (goal_line(rows, goal) for goal in GOALS) if line]
    if lines:
        print("| what | Posthorn | peer | which | ratio | at least | wanted | reached |")
        print("|---|---|---|---|---|---|---|---|")
        print("\n".join(lines))


def cell(values):
    middle = number(statistics.median(values))
    if len(values) < 2 or min(values) == max(values):
        return middle
    return f"{middle} [{number(min(values))} - {number(max(values))}]"


def print_suite(rows, suite):
    mine = {key: figures for key, figures in rows.items() if key[0] == suite}
    columns = [column for column in COLUMNS[suite] if any(column in figures for figures in mine.values())]
    if not mine:
        return
    print(f"\n### {suite}\n")
    print("| case | peer | runs | " + " | ".join(columns) + " |")
    print("|---|---|---|" + "---|" * len(columns))
    for (_, case, peer), figures in mine.items():
        runs = max(len(values) for values in figures.values())
        cells = [cell(figures[column]) if column in figures else "" for column in columns]
        print(f"| {case} | {peer} | {runs} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results")
    parser.add_argument("--goals", action="store_true")
    arguments = parser.parse_args()
    rows = load(arguments.results)
    print_goals(rows)
    if not arguments.goals:
        for suite in COLUMNS:
            print_suite(rows, suite)


if __name__ == "__main__":
    main()
