# SPDX-License-Identifier: GPL-2.0
"""run.py bench summary: the table of the README, from what was measured last.

    run.py bench summary [bench.json...]

Of several files the later ones count; build/bench.json unless one is named.
"""

import argparse
import json

from harness.paths import BUILD

from . import bench

# Names of benchmarks in words; '...' goes on with the one before.
ROWS = {
    'syscall': 'system call', 'read_64k': 'read 64 KiB from tmpfs', 'signal': 'signal',
    'pipe': 'pipe, there and back', 'thread': 'thread', 'page_fault': 'page fault',
    'touch_16m': 'touch 16 MiB, no huge pages on the host', 'touch_16m_thp': '... with huge pages',
    'file_4m_tmpfs': 'map and touch 4 MiB of a cached file, tmpfs', 'file_4m_xfs': '... xfs',
    'file_4m_ext4': '... ext4', 'mmap_touch_munmap': 'mmap, touch, munmap',
    'mprotect_1m': 'mprotect 1 MiB and back', 'fork_exit': 'fork, exit, wait',
    'vfork_exec': 'vfork, exec, wait', 'sh': "`sh -c 'exit 0'`",
    'script_2000': 'script of 2000 commands', 'tar': '`tar xf`, 150 MB', 'gcc_5000':
    '`gcc -O2`, 5000 lines', 'make': '`make -j2`', 'read_4k_q32': 'disk, 4 KiB reads, 32 at a time',
    'read_128k': 'disk, 128 KiB reads', 'write_128k': 'disk, 128 KiB writes',
    'boot': 'boot, 256 MB', 'boot_16g': 'boot, 16 GB',
}
OURS, PEER = ('seccomp', 'io_uring'), 'linux.uml'


def _median(table, subjects, name):
    for subject in subjects:
        value = table.get(subject, {}).get(name)
        if value:
            return value['median_ns']
    return None


def rows(tables):
    """(words, host, ours, peer) for what was measured, in nanoseconds or None."""
    for name, words in ROWS.items():
        for table in tables:
            ours = _median(table, OURS, name)
            if ours:
                yield words, _median(table, ('host',), name), ours, _median(table, (PEER,), name)
                break


def _ratio(value, base):
    if not value or not base:
        return '-'
    return f'{value / base:.2g}' if value / base < 10 else f'{value / base:.0f}'


def main(argv):
    """Print the table in Markdown."""
    parser = argparse.ArgumentParser(prog='run.py bench summary',
                                     description=__doc__.split('\n', 1)[0])
    parser.add_argument('files', nargs='*', default=[BUILD / 'bench.json'])
    tables, memory = [], {}
    for path in parser.parse_args(argv).files:
        with open(path, encoding='utf-8') as file:
            report = json.load(file)
        # The tables of all CPUs, not those of one.
        tables[:0] = [table for title, table in report['results'].items()
                      if title not in ('one', 'work, 1 CPUs')]
        memory.update(report.get('memory', {}))
    print(f'| | host | `./linux` | x host | `{PEER}`, x host |\n|---|--:|--:|--:|--:|')
    for words, host, ours, peer in rows(tables):
        print(f'| {words} | {bench.show(host)} | {bench.show(ours)} | {_ratio(ours, host)} | '
              + (_ratio(peer, host) if host else bench.show(peer)) + ' |')
    if memory:
        print('\nHost memory of a guest of 256 MB at its prompt, page array not counted: '
              + ', '.join(f'`{k}` {v >> 20} MiB' for k, v in memory.items()) + '.')
    return 0
