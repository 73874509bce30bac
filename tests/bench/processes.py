#!/usr/bin/env python3
"""CPU and memory of process trees.

  processes.py cpu PID...   CPU seconds used so far, ended children included
  processes.py mem PID...   processes, PSS and private bytes, and the kernel's
                           own memory (whole machine: slab, page tables, stacks)
"""
import os
import sys


def children():
    tree = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as f:
                stat = f.read()
        except OSError:
            continue
        fields = stat[stat.rindex(")") + 2:].split()
        ticks = sum(int(x) for x in fields[11:15])
        tree.setdefault(int(fields[1]), []).append(int(name))
        tree[("cpu", int(name))] = ticks
    return tree


def walk(tree, roots):
    seen, todo = set(), list(roots)
    while todo:
        pid = todo.pop()
        if pid in seen:
            continue
        seen.add(pid)
        todo += tree.get(pid, [])
    return seen


def meminfo(*names):
    total = 0
    with open("/proc/meminfo") as f:
        for line in f:
            key, value = line.split(":")
            if key in names:
                total += int(value.split()[0]) * 1024
    return total


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("cpu", "mem"):
        sys.exit(__doc__)
    tree = children()
    pids = walk(tree, (int(p) for p in sys.argv[2:]))
    if sys.argv[1] == "cpu":
        ticks = sum(tree.get(("cpu", p), 0) for p in pids)
        print(f"{ticks / os.sysconf('SC_CLK_TCK'):.2f}")
        return
    pss = private = procs = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as f:
                for line in f:
                    key, _, rest = line.partition(":")
                    if key == "Pss":
                        pss += int(rest.split()[0]) * 1024
                    elif key.startswith("Private_"):
                        private += int(rest.split()[0]) * 1024
            procs += 1
        except OSError:
            continue
    kernel = meminfo("Slab", "PageTables", "KernelStack")
    print(f"procs={procs} pss={pss} private={private} kernel={kernel} "
          f"memfree={meminfo('MemFree')}")


if __name__ == "__main__":
    main()
