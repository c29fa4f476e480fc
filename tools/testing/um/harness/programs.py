# SPDX-License-Identifier: GPL-2.0
"""Building the guest programs: static, so that they run on any kernel."""

import os
import subprocess

from .paths import HERE, PROGRAMS, TOP

FLAGS = ['-O2', '-g', '-Wall', '-Wextra', '-static', '-pthread', '-D_GNU_SOURCE',
         '-idirafter', str(TOP / 'arch' / 'um' / 'include')]


def sources():
    """The C files of guest/ and of the benchmark."""
    return sorted((HERE / 'guest').glob('*.c')) + sorted((HERE / 'bench').glob('*.c'))


def build():
    """Compile what is out of date; returns the folder of the programs."""
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    headers = max(p.stat().st_mtime for folder in ('guest', 'bench')
                  for p in (HERE / folder).glob('*.h'))
    for source in sources():
        target = PROGRAMS / source.stem
        newest = max(source.stat().st_mtime, headers)
        if target.exists() and target.stat().st_mtime >= newest:
            continue
        temporary = PROGRAMS / f'.{source.stem}.{os.getpid()}'
        subprocess.run([os.environ.get('HOSTCC', 'gcc'), *FLAGS, '-o', temporary,
                        source, '-lm'], check=True)
        temporary.rename(target)
    return PROGRAMS


def names():
    """Names of the TAP programs; guest/ holds some helpers besides."""
    return sorted(p.stem for p in (HERE / 'guest').glob('*.c')
                  if '"tap.h"' in p.read_text(encoding='ascii'))


def all_names():
    """Names of all programs that go to the image."""
    return [p.stem for p in sources()]
