# SPDX-License-Identifier: GPL-2.0
"""Weakened copies of the host half, to see that attacks can succeed.

weaken/NAME.patch takes one protection away.  Its text says which, and after
"Breaks:" names the attacks that then have to succeed.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .paths import HERE, TOP

FOLDER = HERE / 'weaken'
HOST = HERE / 'host'
HALF = 'arch/um/os-Linux'


def names():
    """All weakenings."""
    return sorted(p.stem for p in FOLDER.glob('*.patch'))


def breaks(name):
    """The attacks that succeed against one of them."""
    text = (FOLDER / f'{name}.patch').read_text(encoding='ascii')
    return re.search(r'^Breaks: (.+)$', text, re.M).group(1).split()


def needs_two_cpus(name):
    """Whether attacker and kernel must run at the same time for success."""
    return 'Needs: two CPUs' in (FOLDER / f'{name}.patch').read_text(encoding='ascii')


def _make(out, usermode):
    subprocess.run(['make', '-s', '-C', HOST, f'-j{os.cpu_count() or 1}', f'O={out}',
                    f'usermode={usermode}', f'{out}/attack'], check=True)
    return out / 'attack'


def build(out):
    """The attacks on the host half as it is; returns the program."""
    out.mkdir(parents=True, exist_ok=True)
    return _make(out, TOP / HALF / 'usermode')


def build_weak(name, base, out):
    """The attacks on a weakened copy, with the objects of @base."""
    shutil.copytree(base / 'obj', out / 'obj')
    shutil.copytree(TOP / HALF, out / HALF)
    done = subprocess.run(['patch', '-p1', '--batch', '--no-backup-if-mismatch',
                           '-i', FOLDER / f'{name}.patch'], cwd=out, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, f'{name}.patch does not apply, renew it:\n{done.stdout}'
    return _make(out, out / HALF / 'usermode')


def patched(kernel, out, symbol, old, new):
    """A copy of the kernel with other bytes where a symbol begins: no build.

    old: what is looked for in its first 4 KiB, None to replace its beginning.
    """
    nm = subprocess.run(['nm', kernel], capture_output=True, text=True, check=True).stdout
    address = int(re.search(rf'^(\w+) \w {symbol}$', nm, re.M).group(1), 16)
    segments = subprocess.run(['readelf', '-lW', kernel], capture_output=True, text=True,
                              check=True).stdout
    image = bytearray(Path(kernel).read_bytes())
    for words in re.findall(r'^  LOAD +(\w+) (\w+) \w+ (\w+)', segments, re.M):
        start, virtual, size = (int(word, 16) for word in words)
        if virtual <= address < virtual + size:
            place = address - virtual + start
            if old:
                place = image.index(old, place, place + 4096)
            image[place:place + len(new)] = new
    out.write_bytes(image)
    out.chmod(0o755)
    return out
