# SPDX-License-Identifier: GPL-2.0
"""run.py bench hostfs: the same files on the host and, through hostfs, in the guest.

    run.py bench hostfs [--rounds N] [--files N] [--size MIB] [--options OPTIONS]

Host and guest take turns.  "cold" is the first look of a new mount, at files that the host
has in its memory.  Reported are medians, spread and the ratio to the host.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import images, programs
from harness.guest import Guest
from harness.paths import BUILD

from . import bench

STEPS = (('find, cold', 'find', '{}/tree'), ('find', 'find', '{}/tree'),
         ('find and stat, cold', 'stat', '{}/tree'), ('find and stat', 'stat', '{}/tree'),
         ('read, cold', 'read', '{}/data'), ('read', 'read', '{}/data'),
         ('read 4K, cold', 'read', '{}/data 4'), ('read 4K', 'read', '{}/data 4'),
         ('map, cold', 'map', '{}/data'),
         ('write', 'write', '{}/new %d'))


def took(text):
    """Nanoseconds of one pass."""
    return float(re.search(r'tree (\d+) \d+', text).group(1))


def main(argv):
    """Measure and report; returns the exit code."""
    parser = argparse.ArgumentParser(prog='run.py bench hostfs',
                                     description=__doc__.split('\n', 1)[0])
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--files', type=int, default=50000)
    parser.add_argument('--size', type=int, default=256, metavar='MIB')
    parser.add_argument('--options', default='cache=strict')
    options = parser.parse_args(argv)
    program = programs.build() / 'tree'
    results = bench.Results()
    with tempfile.TemporaryDirectory(prefix='umb-') as folder:
        share = Path(folder) / 'share'
        share.mkdir()
        subprocess.run([program, 'make', share / 'tree', str(options.files)], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([program, 'write', share / 'data', str(options.size)], check=True,
                       stdout=subprocess.DEVNULL)
        root = images.copy(images.busybox(), Path(folder) / 'root.img')
        guest = Guest(f'ubd0={root}', 'mem=1G', f'hostfs={share}', name='bench-hostfs',
                      timeout=600).boot()
        for number in range(options.rounds):
            print(f'\rround {number + 1} of {options.rounds}', end='', file=sys.stderr, flush=True)
            for name, what, where in STEPS:
                words = (where % options.size if '%' in where else where)
                host = subprocess.run([program, what, *words.format(share).split()], check=True,
                                      capture_output=True, text=True).stdout
                if 'cold' in name:
                    guest.run('umount /mnt')
                    guest.out('echo 3 > /proc/sys/vm/drop_caches;'
                              f'mount -t hostfs none /mnt -o {options.options}')
                results.add('host', name, took(host))
                results.add('guest', name,
                            took(guest.out(f'/tests/tree {what} {words.format("/mnt")}')))
        print(file=sys.stderr)
        guest.out('umount /mnt')
        guest.poweroff()
        guest.close(check=False)
    print(bench.table(['host', 'guest'], results))
    report = {'machine': bench.machine(), 'options': vars(options), 'results': results.report()}
    target = BUILD / 'bench-hostfs.json'
    target.write_text(json.dumps(report, indent=1) + '\n', encoding='utf-8')
    print(f'written to {target}')
    return 0
