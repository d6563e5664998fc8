#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make sizes.h: how long 4 KiB pages are when lz4 has compressed them.

Pages are those of programs at work on this machine (their private, writable
memory, read through /proc/PID/mem) and of files of a Debian system. Pages that
repeat one word are left out, as they never reach the allocator. What does not
shrink to MAX bytes is stored whole. Only counts are kept, in steps of STEP
bytes, as shares of 65536.

usage: sizes.py > sizes.h
"""
import ctypes
import glob
import os
import platform
import signal
import subprocess
import sys
import time

PAGE = 4096
MAX = 3635
STEP = 32
LZ4 = ctypes.CDLL("liblz4.so.1")
HERE = os.path.dirname(os.path.abspath(__file__))

PYTHON = """
import ast, glob, sys
files = sorted(glob.glob("/usr/lib/python3*/*.py"))[:120]
keep = [ast.parse(open(f, encoding="utf-8", errors="replace").read()) for f in files]
print("ready", flush=True)
sys.stdin.read()
"""

SQL = """
create table file (id integer primary key, package text, path text unique);
create index by_package on file (package);
"""


def compressed(page):
    """Length of a page in the pool: 0 when it repeats one word."""
    if page == page[:8] * (PAGE // 8):
        return 0
    out = ctypes.create_string_buffer(LZ4.LZ4_compressBound(PAGE))
    n = LZ4.LZ4_compress_default(page, out, PAGE, len(out))
    return n if 0 < n <= MAX else PAGE


def memory(pid):
    """Pages of the private, writable memory of a process."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            word = line.split()
            if not word[1].startswith("rw-p"):
                continue
            start, end = (int(x, 16) for x in word[0].split("-"))
            mem.seek(start)
            for _ in range(start, end, PAGE):
                page = mem.read(PAGE)
                if len(page) == PAGE:
                    yield page


def files(paths, per_file):
    """Pages of files, the first of each."""
    for path in paths:
        try:
            with open(path, "rb") as f:
                data = f.read(per_file)
        except OSError:
            continue
        for at in range(0, len(data) - PAGE + 1, PAGE):
            yield data[at:at + PAGE]


def python():
    with subprocess.Popen([sys.executable, "-c", PYTHON], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as p:
        p.stdout.readline()
        yield from memory(p.pid)
        p.stdin.close()


def sqlite():
    with subprocess.Popen(["sqlite3", ":memory:"], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as p:
        p.stdin.write(SQL + "begin;\n")
        for path in sorted(glob.glob("/var/lib/dpkg/info/*.list")):
            package = os.path.basename(path)[:-5]
            with open(path, encoding="utf-8") as f:
                for name in f.read().split("\n"):
                    name = name.replace("'", "''")
                    p.stdin.write("insert or ignore into file (package, path) "
                                  f"values ('{package}', '{name}');\n")
        p.stdin.write("commit; select 'ready';\n")
        p.stdin.flush()
        p.stdout.readline()
        yield from memory(p.pid)
        p.stdin.close()


def rss(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * PAGE


def cc1():
    """The compiler at its work, once it has more than 32 MiB."""
    cc = subprocess.check_output(["gcc", "-print-prog-name=cc1"], text=True).strip()
    args = [cc, "-quiet", "-O3", "-g3", "-fsanitize=address,undefined", "-std=gnu11",
            "-imultiarch", "x86_64-linux-gnu", HERE + "/test_segment.c", "-o", "/dev/null"]
    args += [f"-I{HERE}/{d}" for d in (".", "shim", "../../dm-zram", "../../zsmalloc")]
    with subprocess.Popen(args) as p:
        while p.poll() is None and rss(p.pid) < 32 << 20:
            time.sleep(0.002)
        p.send_signal(signal.SIGSTOP)
        yield from memory(p.pid)
        p.send_signal(signal.SIGKILL)


def text():
    yield from files(sorted(glob.glob("/usr/lib/python3*/*.py") +
                            glob.glob("/usr/include/**/*.h", recursive=True) +
                            glob.glob("/usr/share/perl/5*/**/*.p[lm]", recursive=True)),
                     1 << 18)


def elf():
    yield from files(sorted(glob.glob("/usr/bin/*") +
                            glob.glob("/usr/lib/x86_64-linux-gnu/*.so.*")), 1 << 18)


def histogram(pages):
    """Counts by steps, whole pages last, and the share of pages left out."""
    lengths = [compressed(page) for page in pages]
    same = lengths.count(0)
    lengths = [n for n in lengths if n]
    assert len(lengths) > 1000, len(lengths)
    bins = [0] * (MAX // STEP + 2)
    for n in lengths:
        bins[-1 if n == PAGE else (n - 1) // STEP] += 1
    return bins, len(lengths), same, sum(lengths)


def main():
    print("/* SPDX-License-Identifier: GPL-2.0 */")
    print("/*\n * Made by sizes.py: lengths of 4 KiB pages after lz4, as shares of 65536, in\n"
          f" * steps of {STEP} bytes from 1 on; the last is that of pages stored whole.\n"
          f" * {platform.freedesktop_os_release()['PRETTY_NAME']}, liblz4 "
          f"{LZ4.LZ4_versionNumber() // 10000}.{LZ4.LZ4_versionNumber() // 100 % 100}"
          f".{LZ4.LZ4_versionNumber() % 100}.\n */")
    print(f"#define SIZES_STEP\t{STEP}\n#define SIZES_BINS\t{MAX // STEP + 2}\n")
    print("static const struct {\n\tconst char *name;\n"
          "\tunsigned short share[SIZES_BINS];\n} sizes[] = {")
    for source in (python, sqlite, cc1, text, elf):
        bins, n, same, total = histogram(source())
        print(f"\t/* {n} pages of {total // n} bytes on average; {same} of one word left out */")
        print(f"\t{{ \"{source.__name__}\", {{")
        shares = [round(b * 65535 / n) for b in bins]
        for i in range(0, len(shares), 12):
            print("\t\t" + " ".join(f"{s}," for s in shares[i:i + 12]))
        print("\t} },")
        print(source.__name__, n, same, total // n, file=sys.stderr)
    print("};")


main()
