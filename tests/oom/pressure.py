#!/usr/bin/env python3
"""Pressure cases: a table for each, JSON, and whether dm-zram has kept its promise.

usage: pressure.py DIRECTORY JSON SECONDS CASE/ROW...
DIRECTORY holds for each a file "CASE.ROW" of lines "name value", and the kernel's log, "CASE.ROW.klog".
SECONDS is after how long a case was given up.
"""
import json
import re
import sys

from report import print_table, read

# With every tier full, the first kill comes in this share of the time of a case. That includes filling them.
PROMPT = 0.25

COLUMNS = [  # heading, field, divisor, format
    ("wall s", "wall_s", 1, "%.1f"),
    ("OOM kills", "oom_kills", 1, "%.0f"),
    ("first s", "first_kill_s", 1, "%.1f"),
    ("PSI full s", "psi_memory_full_us", 1e6, "%.1f"),
    ("worst gap ms", "fair_worst_us", 1e3, "%.0f"),
    ("rt gap ms", "rt_worst_us", 1e3, "%.1f"),
    ("disk MiB out", "disk_write_bytes", 1 << 20, "%.1f"),
    ("I/Os out", "disk_writes", 1, "%.0f"),
    ("disk MiB in", "disk_read_bytes", 1 << 20, "%.1f"),
    ("I/Os in", "disk_reads", 1, "%.0f"),
    ("pool MiB", "pool_peak_kib", 1 << 10, "%.0f"),
]
BACK = [
    ("faults", "app_faults", 1, "%.0f"),
    ("p50 ms", "app_p50_us", 1e3, "%.2f"),
    ("p99 ms", "app_p99_us", 1e3, "%.2f"),
]
EXTRA = {
    "idle": BACK,
    "busy": BACK,
    "exit": [("in swap MiB", "swapped_kib", 1 << 10, "%.0f"), ("exit ms", "exit_us", 1e3, "%.1f")],
    "compilers": [("failed", "compilers_failed", 1, "%.0f")],
    "swapoff": [("swapoff s", "swapoff_s", 1, "%.1f")],
}


def kills(path):
    """How many processes the kernel has killed, and the first how many seconds after the mark."""
    begin, count, first = None, 0, None
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            stamp = re.match(r"\[ *(\d+\.\d+)\]", line)
            if not stamp:
                continue
            if "dmz-oom: begin" in line:
                begin = float(stamp.group(1))
            elif begin is not None and re.search(r"[Oo]ut of memory: Killed process", line):
                count += 1
                first = first if count > 1 else round(float(stamp.group(1)) - begin, 1)
    return count, first


def outcome(run, limit):
    if run.get("finished") == "yes":
        if run["right"] != "yes":
            return "WRONG DATA"
        if run["oom_kills"]:
            return f"{run['oom_kills']} killed, others right"
        return "ok" if run.get("compilers_failed", "0") == "0" else run["compilers_failed"] + " compilers failed"
    if "no_end" in run or run["status"] == "124":
        return f"no end in {limit} s"
    return {"98": "guest died", "99": "kernel complains"}.get(run["status"], "case failed")


def kept(row, run, limit):
    """Is that what dm-zram promises? Others promise nothing, and neither does overcommit."""
    if row not in ("dm-zram", "dm-zram-full"):
        return True
    if run["status"] != "0" or run.get("finished") != "yes" or run["right"] != "yes":
        return False
    if row == "dm-zram-full":
        return run["oom_kills"] > 0 and run["first_kill_s"] < limit * PROMPT and int(run["survivors"]) > 0
    return run["oom_kills"] == 0 and run.get("compilers_failed", "0") == "0"


def main():
    directory, target, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
    result, broken, tables = [], [], {}
    for name in sys.argv[4:]:
        case, row = name.split("/")
        path = f"{directory}/{case}.{row}"
        run = read(path)
        run["oom_kills"], first = kills(path + ".klog")
        if first is not None:
            run["first_kill_s"] = first
        run = {"case": case, "row": row, "outcome": outcome(run, limit)} | run
        result.append(run)
        if not kept(row, run, limit):
            broken.append(name)
        columns = COLUMNS + EXTRA.get(case, [])
        table = tables.setdefault(case, [["row", "outcome"] + [c[0] for c in columns]])
        table.append([row, run["outcome"]] + [f % (float(run[k]) / d) if k in run else "-" for _, k, d, f in columns])
    with open(target, "w", encoding="ascii") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    for case, table in tables.items():
        print(f"\n{case}")
        print_table(table)
    if broken:
        print(f"\ndm-zram has not kept its promise: {', '.join(broken)}; see {directory}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
