#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The work of the trace "swap-desktop": programs of which one at a time is worked with.

Each is a process with a heap of its own: syntax trees of Python's library, documents of
JSON, tables of strings. The user looks at a part of what one of them has, changes a
little, makes something new and drops something old, and goes on to another one, most
often one of the last. At times nobody does anything.
"""
import ast
import glob
import json
import os
import random
import sys
import time

PROGRAMS = 6
STEPS = 140


def document(rng, n):
    return json.loads(json.dumps([{"id": rng.randrange(1 << 30), "name": f"entry {rng.random()}",
                                   "tags": [str(rng.randrange(99)) for _ in range(6)]} for _ in range(n)]))


def start(rng, which):
    """What a program has: a list of parts."""
    if which % 3 == 0:
        files = sorted(glob.glob("/usr/lib/python3*/*.py"))[which:which + 60]
        return [ast.parse(open(f, encoding="utf-8", errors="replace").read()) for f in files]
    if which % 3 == 1:
        return [document(rng, 700) for _ in range(45)]
    return [{f"{rng.random()}": " ".join(str(rng.random()) for _ in range(8)) for _ in range(1200)}
            for _ in range(50)]


def look(part):
    if isinstance(part, ast.AST):
        return sum(1 for _ in ast.walk(part))
    if isinstance(part, dict):
        return sum(len(v) for v in part.values())
    return sum(len(e["tags"]) + len(e["name"]) for e in part)


def program(which, inp, out):
    rng = random.Random(which)
    parts = start(rng, which)
    out.write("ready\n")
    out.flush()
    for line in inp:
        want = int(line)
        seen = 0
        # Of those that are open, the first most often.
        for _ in range(want):
            seen += look(parts[int(len(parts) * rng.random() ** 2)])
        if rng.random() < 0.5:
            at = int(len(parts) * rng.random() ** 2)
            parts[at] = document(rng, 500)
        out.write(f"{seen}\n")
        out.flush()


def spawn(which):
    to_r, to_w = os.pipe()
    from_r, from_w = os.pipe()
    if os.fork() == 0:
        os.close(to_w)
        os.close(from_r)
        program(which, os.fdopen(to_r), os.fdopen(from_w, "w"))
        os._exit(0)
    os.close(to_r)
    os.close(from_w)
    return os.fdopen(to_w, "w"), os.fdopen(from_r)


def main():
    rng = random.Random(42)
    programs = []
    for which in range(PROGRAMS):
        programs.append(spawn(which))
        programs[-1][1].readline()
        print(f"program {which} is there", flush=True)
    recent = list(range(PROGRAMS))
    for step in range(STEPS):
        which = recent[int(len(recent) * rng.random() ** 2)]
        recent.remove(which)
        recent.insert(0, which)
        to, back = programs[which]
        to.write(f"{rng.randrange(3, 25)}\n")
        to.flush()
        back.readline()
        time.sleep(2 if step % 35 == 34 else 0.05)
    print("done", file=sys.stderr)


main()
