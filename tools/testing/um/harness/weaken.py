# SPDX-License-Identifier: GPL-2.0
"""Weakened copies of the host half, to see that attacks can succeed.

weaken/NAME.patch takes one protection away.  Its text says which, and after
"Breaks:" names the attacks that then have to succeed; after "In a guest:" the
programs that do, in a guest of a kernel with it. After "Escapes:" are the attacks on
the host half of hostfs.
"""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from .paths import BUILD, HERE, TOP

FOLDER = HERE / 'weaken'
HOST = HERE / 'host'
HALF = 'arch/um/os-Linux'
HOSTFS = 'fs/hostfs'


def _words(name, key):
    text = (FOLDER / f'{name}.patch').read_text(encoding='ascii')
    found = re.search(rf'^{key}: (.+)$', text, re.M)
    return found.group(1).split() if found else []


def _all():
    return sorted(p.stem for p in FOLDER.glob('*.patch'))


def names():
    """The weakenings that attacks on the host half alone are run against."""
    return [name for name in _all() if breaks(name)]


def breaks(name):
    """The attacks that succeed against one of them."""
    return _words(name, 'Breaks')


def in_guests():
    """Pairs of a weakening and a program that succeeds in a guest with it."""
    return [(name, program) for name in _all() for program in _words(name, 'In a guest')]


def needs_two_cpus(name):
    """Whether attacker and kernel must run at the same time for success."""
    return 'two' in _words(name, 'Needs')


def _make(out, usermode):
    subprocess.run(['make', '-s', '-C', HOST, f'-j{os.cpu_count() or 1}', f'O={out}',
                    f'usermode={usermode}', f'{out}/attack'], check=True)
    return out / 'attack'


def build(out):
    """The attacks on the host half as it is; returns the program."""
    out.mkdir(parents=True, exist_ok=True)
    return _make(out, TOP / HALF / 'usermode')


def _copy(name, out, half=HALF):
    shutil.copytree(TOP / half, out / half)
    done = subprocess.run(['patch', '-p1', '--batch', '--no-backup-if-mismatch',
                           '-i', FOLDER / f'{name}.patch'], cwd=out, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, f'{name}.patch does not apply, renew it:\n{done.stdout}'


def build_weak(name, base, out):
    """The attacks on a weakened copy, with the objects of @base."""
    shutil.copytree(base / 'obj', out / 'obj')
    _copy(name, out)
    return _make(out, out / HALF / 'usermode')


def hostfs_names():
    """The weakenings of hostfs."""
    return [name for name in _all() if escapes(name)]


def escapes(name):
    """The attacks on hostfs that succeed against one of them."""
    return _words(name, 'Escapes')


def build_hostfs(out, name=None):
    """The attacks on the host half of hostfs, or on a weakened copy; returns the program."""
    out.mkdir(parents=True, exist_ok=True)
    if name:
        _copy(name, out, HOSTFS)
    subprocess.run(['make', '-s', '-C', HOST, f'O={out}',
                    f'hostfs={(out if name else TOP) / HOSTFS}', f'{out}/hostfs_attack'],
                   check=True)
    return out / 'hostfs_attack'


def kernel(name, out):
    """A kernel with a weakened host half: what is patched is compiled, and linked anew."""
    tree = BUILD / 'out'
    _copy(name, out)
    fresh = {}
    for path in re.findall(r'^\+\+\+ b/(\S+\.[cS])$',
                           (FOLDER / f'{name}.patch').read_text(encoding='ascii'), re.M):
        target = Path(path).with_suffix('.o')
        command = (tree / target.parent / f'.{target.name}.cmd').read_text(encoding='ascii')
        words = shlex.split(command.splitlines()[0].partition(' := ')[2])
        words = [w for w in words[:-3] if not w.startswith('-Wp,-MD')]
        fresh[str(target)] = str(out / target)
        subprocess.run([*words, '-o', out / target, out / path], cwd=tree, check=True)
    assert fresh, f'{name}.patch: nothing to compile'
    objects = []
    for archive in sorted(tree.glob('arch/**/host.a')) + sorted(tree.glob('fs/**/host.a')):
        members = subprocess.run(['ar', 't', archive.relative_to(tree)], cwd=tree, check=True,
                                 capture_output=True, text=True).stdout.split()
        objects += [fresh.get(member, member) for member in members]
    subprocess.run(['gcc', '-m64', '-no-pie', '-Wl,-z,now', '-Wl,-z,noexecstack',
                    '-Wl,--no-warn-rwx-segments', '-Wl,--script=arch/um/kernel/vmlinux.lds',
                    '-o', out / 'linux', '.tmp_um_kernel.o', '.tmp_vmlinux2.kallsyms.o',
                    *objects, '-lpthread'], cwd=tree, check=True)
    return out / 'linux'


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
