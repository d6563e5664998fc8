#!/usr/bin/env python3
"""Rows of the scenarios: a table, JSON, and whether dm-zram has kept its promise.

usage: report.py DIRECTORY JSON ROUNDS ROW...
DIRECTORY holds a file for each row and round, "ROW.ROUND", of lines "name value".
"""
import json
import statistics
import sys

LISTED_US = 10000  # shorter gaps of a guest are not listed: "beat -g" of lib.sh
# least and most stand beside the median
SPREAD = ("wall_s", "fair_worst_us", "rt_worst_us", "host_worst_us", "fair_own_us", "rt_own_us")
COLUMNS = [  # heading, field, divisor, format
    ("wall s", "wall_s", 1, "%.0f"),
    ("build s", "build_s", 1, "%.0f"),
    ("OOM kills", "oom_kills", 1, "%.0f"),
    ("PSI full s", "psi_memory_full_us", 1e6, "%.1f"),
    ("worst gap ms", "fair_worst_us", 1e3, "%.0f"),
    ("p99.9 ms", "fair_p999_us", 1e3, "%.0f"),
    ("rt gap ms", "rt_worst_us", 1e3, "%.1f"),
    ("rt p99.9 ms", "rt_p999_us", 1e3, "%.1f"),
    ("host gap ms", "host_worst_us", 1e3, "%.1f"),
    ("own gap ms", "fair_own_us", 1e3, "%.0f"),
    ("own rt gap ms", "rt_own_us", 1e3, "%.1f"),
    ("disk MiB out", "disk_write_bytes", 1 << 20, "%.0f"),
    ("I/Os out", "disk_writes", 1, "%.0f"),
    ("disk MiB in", "disk_read_bytes", 1 << 20, "%.0f"),
    ("I/Os in", "disk_reads", 1, "%.0f"),
    ("pool MiB", "pool_peak_kib", 1 << 10, "%.0f"),
]


def outcome(run):
    """One word for how a run ended."""
    if run.get("finished") == "yes":
        if run.get("right") != "yes":
            return "WRONG FILES"
        return "ok" if run.get("held") == "yes" else "ok, hog killed"
    if "failed" in run:
        return run["failed"] + " failed"
    return {"124": "hung", "98": "died"}.get(run.get("status"), "ended")


def read_gaps(path):
    """(end, length) of each gap of a heartbeat, microseconds; None if nobody wrote them down."""
    try:
        with open(path, encoding="ascii") as f:
            return [tuple(int(word) for word in line.split()) for line in f]
    except FileNotFoundError:
        return None


def overlap(end, length, gaps):
    """How much of what ended then was in other gaps, microseconds."""
    return sum(max(0, min(end, e) - max(end - length, e - n)) for e, n in gaps)


def read(path):
    """The numbers of a run. A gap less what the host had in it is the guest's own."""
    with open(path, encoding="ascii") as f:
        run = dict(line.split(None, 1) for line in f.read().splitlines() if " " in line)
    host = read_gaps(path + ".gaps.host")
    for beat in ("fair", "rt"):
        gaps = read_gaps(f"{path}.gaps.{beat}")
        if host is not None and gaps is not None:
            # One that is not listed may be as long as the least that is.
            own = [length - overlap(end, length, host) for end, length in gaps]
            run[f"{beat}_own_us"] = max(own + [min(LISTED_US, int(run[f"{beat}_worst_us"]))])
    return run


def print_table(table):
    """The first two columns are text, the others are numbers."""
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    for line in table:
        print("  ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))))


def main():
    directory, target, rounds, rows = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    result = []
    table = [["row", "outcome"] + [c[0] for c in COLUMNS]]
    kept = True
    for row in rows:
        runs = [read(f"{directory}/{row}.{n}") for n in range(1, rounds + 1)]
        outcomes = [outcome(r) for r in runs]
        entry = {"row": row, "rounds": rounds, "outcomes": outcomes}
        cells = []
        for _, field, div, fmt in COLUMNS:
            values = [float(r[field]) for r in runs if field in r]
            if values:
                entry[field] = {"median": statistics.median(values), "least": min(values), "most": max(values)}
            cells.append(fmt % (statistics.median(values) / div) if values else "-")
            if len(values) > 1 and field in SPREAD:
                cells[-1] += f" ({fmt % (min(values) / div)} to {fmt % (max(values) / div)})"
        result.append(entry)
        table.append([row, " / ".join(sorted(set(outcomes)))] + cells)
        if row == "dm-zram":
            kept = all(o == "ok" for o in outcomes) and all(r.get("oom_kills") == "0" and r["status"] == "0" for r in runs)
    with open(target, "w", encoding="ascii") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    print_table(table)
    if "dm-zram" in rows and not kept:
        print("dm-zram has not kept its promise, see " + directory)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
