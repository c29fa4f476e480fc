# SPDX-License-Identifier: GPL-2.0
"""make bench: the same static program on the host, in ./linux and in a peer.

    run.py bench [--rounds N] [--time MS] [--only NAME,...] [--modes MODE,...]
                 [--cpus all|one|both] [--no-peer] [--tables calls,work,boot,storage]

All kernels are measured in turns, round by round, so that a change of the
machine's mood hits all of them: ./linux in each of its modes, and Debian's
package user-mode-linux (command linux.uml) if installed.  Reported are medians,
the spread (half the range between the quartiles, in percent), the ratio to the
host, and the CPU time of all processes of the guest per operation.  The table is
made twice: with all CPUs, and with everything pinned to one.

The table of work is about scripts, unpacking and compiling (work.py), the one of boots
about the time and the memory that it takes (boot.py), storage.py about disks.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from harness import images, programs
from harness.guest import Guest
from harness.paths import BUILD, KERNEL, KERNEL_ARGS

from . import boot, folders, steps, storage, work

PEER = 'linux.uml'


class Host:
    """The host itself."""

    name = 'host'

    def __init__(self):
        self.program = programs.build() / 'bench'
        self.folders = folders.Host()

    def run(self, args):
        """One round: yields what steps.measure() does."""
        words = ['--native', f'--files={self.folders.top}', *args]
        with steps.Program(self.program, words) as program:
            yield from program.measure()

    def close(self):
        """Unmount."""
        self.folders.close()


class Uml:
    """A guest that stays up between rounds."""

    def __init__(self, name, kernel, root, args):
        self.name = name
        folder = root.with_suffix('')
        folder.mkdir()
        disks = folders.prepare(root, folder, kernel == KERNEL)
        self.guest = Guest(f'ubd0={root}', *disks, 'mem=1G', *args, kernel=kernel, raw=True,
                           timeout=600, name=f'bench-{name}').boot()
        self.guest.run('mount -t debugfs none /sys/kernel/debug || :')
        folders.mount(self.guest)

    def run(self, args):
        """One round: yields what steps.measure() does."""
        self.guest.sendline(f'/tests/bench {" ".join(args)}')
        yield from steps.measure(self.guest.con, self.guest.expect, self.guest.mark)

    def close(self):
        """Power off."""
        self.guest.poweroff()
        self.guest.close(check=False)


class Results:
    """What was measured: for each subject and benchmark."""

    def __init__(self):
        self.ns = {}
        self.used = {}
        self.costs = {}

    def add(self, subject, bench, ns, count=0, used=0, costs=None):
        """One round of one benchmark."""
        if costs:
            self.costs[subject, bench] = {k: float(v) for k, v in costs.items()}
        self.ns.setdefault((subject, bench), []).append(ns)
        if count:
            self.used.setdefault((subject, bench), []).append(used / count)

    def median(self, *key):
        """The median time, or None."""
        return statistics.median(self.ns[key]) if key in self.ns else None

    def cpu(self, *key):
        """The median CPU time per operation, or None."""
        return statistics.median(self.used[key]) if key in self.used else None

    def benches(self):
        """The benchmarks, in order."""
        return list(dict.fromkeys(bench for _, bench in self.ns))

    def report(self):
        """For JSON: by subject, then by benchmark."""
        out = {}
        for (subject, bench), values in self.ns.items():
            out.setdefault(subject, {})[bench] = {
                'median_ns': statistics.median(values),
                'spread_percent': round(spread(values), 2),
                'cpu_ns': self.cpu(subject, bench),
                'host_costs': self.costs.get((subject, bench), {}),
                'values_ns': values}
        return out


def spread(values):
    """Half the range between the quartiles, in percent of the median."""
    if len(values) < 3:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4)
    return 50 * (high - low) / middle if middle else 0.0


def show(ns):
    """A time with three significant digits and a unit."""
    if ns is None:
        return '-'
    for unit, size in (('s', 1e9), ('ms', 1e6), ('us', 1e3)):
        if ns >= size:
            return f'{ns / size:.3g} {unit}'
    return f'{ns:.3g} ns'


def costs_table(name, results):
    """What one operation of each benchmark took of the host, as text."""
    lines = []
    for bench in results.benches():
        costs = results.costs.get((name, bench), {})
        if costs:
            lines.append(f'{bench:18}' + ''.join(f'  {k} {v:.3g}' for k, v in costs.items()))
    return '\n'.join(lines)


def table(names, results):
    """The table as text; ratios are against the first subject."""
    head = ['benchmark']
    for name in names:
        head += [name, '+-%', 'CPU'] + (['x'] if name != names[0] else [])
    rows = [head]
    for bench in results.benches():
        row = [bench]
        base = results.median(names[0], bench)
        for name in names:
            middle = results.median(name, bench)
            row += [show(middle), f'{spread(results.ns[name, bench]):.0f}' if middle else '',
                    show(results.cpu(name, bench))]
            if name != names[0]:
                row.append(f'{middle / base:.2f}' if middle and base else '')
        rows.append(row)
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    return '\n'.join('  '.join(c.ljust(w) if i == 0 else c.rjust(w)
                               for i, (c, w) in enumerate(zip(r, widths))).rstrip()
                     for r in rows)


def _thp():
    try:
        text = Path('/sys/kernel/mm/transparent_hugepage/enabled').read_text('ascii')
    except OSError:
        return 'none'
    return re.search(r'\[(\w+)\]', text).group(1)


def machine():
    """What the numbers depend on."""
    cpu = re.search(r'model name\s*: (.*)', Path('/proc/cpuinfo').read_text('ascii'))
    return {'cpu': cpu.group(1) if cpu else '?', 'cpus': os.cpu_count(),
            'usable_cpus': len(os.sched_getaffinity(0)),
            'host_kernel': platform.release(), 'host_thp': _thp(), 'load': os.getloadavg()[0]}


def measure_all(options, kernels, image, args):
    """All rounds; returns the names of the subjects and the results."""
    results = Results()
    with tempfile.TemporaryDirectory(prefix='umb-') as folder:
        subjects = [Host()]
        try:
            for name, kernel, extra in kernels:
                root = images.copy(image, Path(folder) / f'{name}.img')
                subjects.append(Uml(name, kernel, root, extra))
            for number in range(options.rounds):
                for subject in subjects:
                    print(f'\rround {number + 1} of {options.rounds}: {subject.name:20}',
                          end='', file=sys.stderr, flush=True)
                    for row in subject.run(args):
                        results.add(subject.name, *row)
            print(file=sys.stderr)
        finally:
            for subject in subjects:
                subject.close()
    return [s.name for s in subjects], results


def main(argv):
    """Measure and report; returns the exit code."""
    parser = argparse.ArgumentParser(prog='run.py bench', description=__doc__.split('\n', 1)[0])
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--time', type=int, default=60, metavar='MS')
    parser.add_argument('--only', default='', metavar='NAME,...')
    parser.add_argument('--boots', type=int, default=5)
    parser.add_argument('--modes', default='seccomp,ptrace', metavar='MODE,...')
    parser.add_argument('--cpus', default='both', choices=['all', 'one', 'both'])
    parser.add_argument('--no-peer', action='store_true')
    parser.add_argument('--tables', default='calls,work,boot,storage', metavar='TABLE,...')
    options = parser.parse_args(argv)
    if not os.access(KERNEL, os.X_OK):
        print(f'{KERNEL} is missing: run make', file=sys.stderr)
        return 1
    options.only = [n for n in options.only.split(',') if n]
    args = ['--steps', '--time', str(options.time), *options.only]
    image = images.busybox()
    report = {'machine': machine(), 'options': vars(options), 'results': {}}
    print(', '.join(f'{k} {v}' for k, v in report['machine'].items()), flush=True)

    kernels = [(mode, KERNEL, [*KERNEL_ARGS, f'usermode={mode}'])
               for mode in options.modes.split(',')]
    peer = shutil.which(PEER)
    if peer and not options.no_peer:
        kernels.append((PEER, peer, []))
    elif not options.no_peer:
        print(f'no peer: {PEER} is not installed (package user-mode-linux)')
    usable = os.sched_getaffinity(0)
    wanted = ('all', 'one') if options.cpus == 'both' else (options.cpus,)
    for cpus in wanted:
        os.sched_setaffinity(0, {min(usable)} if cpus == 'one' else usable)
        for title, names, results in work.measure(options, kernels, Results) \
                if 'work' in options.tables else ():
            print(f'\n{title}\n{table(names, results)}', flush=True)
            report['results'][title] = results.report()
        if 'calls' not in options.tables:
            continue
        names, results = measure_all(options, kernels, image, args)
        print(f'\n{cpus} of {len(usable)} CPUs\n{table(names, results)}', flush=True)
        for name in names[1:]:
            costs = costs_table(name, results)
            if costs:
                print(f'\non the host, by one operation in {name}\n{costs}', flush=True)
        report['results'][cpus] = results.report()
    os.sched_setaffinity(0, usable)
    if 'boot' in options.tables:
        names, results, memory = boot.measure(options, kernels, image, Results)
        print(f'\nfrom exec to the first program\n{table(names, results)}\n\n'
              'host memory of 256 MB at the prompt, page array not counted: '
              + ', '.join(f'{k} {v >> 20} MiB' for k, v in memory.items()), flush=True)
        report['results']['boot'] = results.report()
        report['memory'] = memory
    if 'storage' in options.tables and not options.only:
        peer = None if options.no_peer else peer
        for title, names, results in storage.measure(options, KERNEL, peer, Results):
            print(f'\n{title}\n{table(names, results)}', flush=True)
            report['results'][title] = results.report()
    target = BUILD / 'bench.json'
    target.write_text(json.dumps(report, indent=1) + '\n', encoding='utf-8')
    print(f'written to {target}')
    return 0
