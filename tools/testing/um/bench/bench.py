# SPDX-License-Identifier: GPL-2.0
"""make bench: the same static program on the host, in ./linux and in a peer.

    run.py bench [--rounds N] [--time MS] [--only NAME,...] [--pin] [--no-peer]

All kernels are measured in turns, round by round, so that a change of the
machine's mood hits all of them.  Reported are medians, the spread (half the
range between the quartiles, in percent) and the ratio to the host.  The host
runs twice, with and without transparent huge pages: they change what touching
memory costs.  Boot time is that of a guest with 256 MB, from exec to the
first program, of several boots.

The peer is Debian's package user-mode-linux (command linux.uml) if installed.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import images, programs
from harness.guest import Guest
from harness.paths import BUILD, KERNEL, KERNEL_ARGS

PEER = 'linux.uml'


class Host:
    """The host itself."""

    def __init__(self, name, extra=()):
        self.name = name
        self.extra = list(extra)
        self.program = programs.build() / 'bench'

    def run(self, args):
        """One round: {benchmark: nanoseconds}."""
        done = subprocess.run([self.program, *args, *self.extra], check=True,
                              capture_output=True, text=True, timeout=600)
        return parse(done.stdout)

    def close(self):
        """Nothing to end."""


class Uml:
    """A guest that stays up between rounds."""

    def __init__(self, name, kernel, root, args):
        self.name = name
        self.guest = Guest(f'ubd0={root}', 'mem=512M', *args, kernel=kernel,
                           raw=True, name=f'bench-{name}').boot()

    def run(self, args):
        """One round: {benchmark: nanoseconds}."""
        return parse(self.guest.out(f'/tests/bench {" ".join(args)}', timeout=600))

    def close(self):
        """Power off."""
        self.guest.poweroff()
        self.guest.close(check=False)


def parse(text):
    """Lines "name number" of the program."""
    pairs = re.findall(r'^(\w+) ([\d.]+)\s*$', text, re.M)
    if not pairs:
        raise RuntimeError(f'the benchmark printed no results:\n{text}')
    return {name: float(value) for name, value in pairs}


def boot_seconds(kernel, image, args, count):
    """Times from exec to the first program, by a root that only powers off."""
    times = []
    for _ in range(count):
        with Guest(f'ubd0r={image}', 'mem=256M', 'init=/tests/ready', *args,
                   kernel=kernel, raw=True, name='bench-boot') as guest:
            guest.expect('UM-TEST-READY')
            times.append((time.monotonic() - guest.started) * 1e9)
            guest.wait_exit()
    return times


def spread(values):
    """Half the range between the quartiles, in percent of the median."""
    if len(values) < 3:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4)
    return 50 * (high - low) / middle if middle else 0.0


def show(ns):
    """A time with three significant digits and a unit."""
    for unit, size in (('s', 1e9), ('ms', 1e6), ('us', 1e3)):
        if ns >= size:
            return f'{ns / size:.3g} {unit}'
    return f'{ns:.3g} ns'


def table(order, names, results):
    """The table as text; ratios are against the first column."""
    head = ['benchmark', names[0], '+-%']
    for name in names[1:]:
        head += [name, '+-%', 'x']
    rows = [head]
    for bench in order:
        row = [bench]
        base = results[names[0]].get(bench)
        for i, name in enumerate(names):
            values = results[name].get(bench)
            if not values:
                row += ['-', ''] + ([''] if i else [])
                continue
            middle = statistics.median(values)
            row += [show(middle), f'{spread(values):.0f}']
            if i:
                row.append(f'{middle / statistics.median(base):.2f}' if base else '')
        rows.append(row)
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    return '\n'.join('  '.join(c.ljust(w) if i == 0 else c.rjust(w)
                               for i, (c, w) in enumerate(zip(r, widths)))
                     for r in rows)


def machine():
    """What the numbers depend on."""
    cpu = re.search(r'model name\s*: (.*)', Path('/proc/cpuinfo').read_text('ascii'))
    return {'cpu': cpu.group(1) if cpu else '?', 'cpus': os.cpu_count(),
            'usable_cpus': len(os.sched_getaffinity(0)),
            'host_kernel': platform.release(), 'load': os.getloadavg()[0]}


def main(argv):
    """Measure and report; returns the exit code."""
    parser = argparse.ArgumentParser(prog='run.py bench', description=__doc__.split('\n')[0])
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--time', type=int, default=60, metavar='MS')
    parser.add_argument('--only', default='', metavar='NAME,...')
    parser.add_argument('--boots', type=int, default=5)
    parser.add_argument('--pin', action='store_true', help='use one CPU for all')
    parser.add_argument('--no-peer', action='store_true')
    options = parser.parse_args(argv)
    if not os.access(KERNEL, os.X_OK):
        print(f'{KERNEL} is missing: run make', file=sys.stderr)
        return 1
    if options.pin:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    only = [n for n in options.only.split(',') if n]
    args = ['--time', str(options.time), *only]
    image = images.busybox()
    about = machine()
    print(', '.join(f'{k} {v}' for k, v in about.items()), flush=True)

    kernels = [('linux', KERNEL, KERNEL_ARGS)]
    peer = shutil.which(PEER)
    if peer and not options.no_peer:
        kernels.append((PEER, peer, []))
    elif not options.no_peer:
        print(f'no peer: {PEER} is not installed (package user-mode-linux)')
    results = {}
    with tempfile.TemporaryDirectory(prefix='umb-') as folder:
        subjects = [Host('host'), Host('host, no THP', ['--no-thp'])]
        try:
            for name, kernel, extra in kernels:
                if not only or 'boot' in only:
                    results.setdefault(name, {})['boot'] = \
                        boot_seconds(kernel, image, extra, options.boots)
                root = images.copy(image, Path(folder) / f'{name}.img')
                subjects.append(Uml(name, kernel, root, extra))
            for number in range(options.rounds):
                for subject in subjects:
                    print(f'\rround {number + 1} of {options.rounds}: {subject.name:20}',
                          end='', file=sys.stderr, flush=True)
                    for bench, value in subject.run(args).items():
                        results.setdefault(subject.name, {}).setdefault(
                            bench, []).append(value)
            print(file=sys.stderr)
        finally:
            for subject in subjects:
                subject.close()
    names = [s.name for s in subjects]
    order = list(results['host']) + ['boot']
    print(table(order, names, results))
    report = {'machine': about, 'options': vars(options), 'names': names,
              'results': {name: {bench: {'median_ns': statistics.median(values),
                                         'spread_percent': round(spread(values), 2),
                                         'values_ns': values}
                                 for bench, values in benches.items()}
                          for name, benches in results.items()}}
    target = BUILD / 'bench.json'
    target.write_text(json.dumps(report, indent=1) + '\n', encoding='utf-8')
    print(f'written to {target}')
    return 0
