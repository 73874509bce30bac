#!/usr/bin/env python3
"""All dialogues once more, with kv_memory in the place of kv_lmdb: the modules meet only through their services, and a
kv that changes one partition at a time shows clients nothing else. More than one worker is refused."""

import sys

import play
import posthorn_server


def test_more_workers_are_refused():
    server = posthorn_server.Server(modules=play.MEMORY_MODULES, config=play.MEMORY_CONFIG, workers=2, accounts=())
    try:
        with server:
            pass
    except posthorn_server.Failure:
        if not server.find_log("kv_memory keeps all mail in the memory of one process: set workers = 1"):
            raise
        return
    raise SystemExit("two workers were not refused")


if __name__ == "__main__":
    posthorn_server.require_server()
    if not (posthorn_server.BUILD / "tests/modules/.libs/accounts.so").exists():
        print("skipped: the tests' modules were not built (make check builds them)")
        raise SystemExit(posthorn_server.SKIPPED)
    test_more_workers_are_refused()
    sys.argv.append("--over-memory")
    play.main()
