# SPDX-License-Identifier: GPL-2.0
"""The base kernel's kselftests: built for x86-64, run in a Debian guest.

kselftest-expected.txt lists every test that is run, with what is expected of
it.  The verdict is the exit code: 0 passed, 4 skipped, all else failed.
"""

import os
import re
import shutil
import subprocess

from . import images
from .paths import HERE, SOURCE, TESTS

OBJ = TESTS / 'O' / 'kselftest'
LIST = HERE / 'kselftest-expected.txt'
# khugepaged.c forgets an include.
EXTRA = ['EXTRA_CFLAGS=-DKSFT_SKIP=4']
# What programs may be linked with and Debian's minimal image does not have.
LIBRARIES = r'/lib(numa|cap|uring)\.so'
VERDICTS = {0: 'pass', 4: 'skip', 124: 'timeout', 137: 'timeout'}


class Entry:
    """One line of the list: collection:test [arguments], verdict, reason."""

    def __init__(self, line):
        head, _, self.reason = (s.strip() for s in line.partition('#'))
        words = head.split()
        self.quick = 'quick' in words[1:]
        self.verdicts = words[1].split('|')
        self.label = words[0]
        self.name, _, argument = words[0].partition(',')
        self.collection, _, self.program = self.name.partition(':')
        self.argument = argument.replace(',', ' ')

    def __repr__(self):
        return self.name


def entries():
    """All entries of the list."""
    lines = LIST.read_text(encoding='utf-8').splitlines()
    return [Entry(line) for line in lines if line.strip() and not line.startswith('#')]


def build():
    """Compile what the list names; returns the folder of the programs.

    Some programs of the base kernel don't compile on Debian 12: make goes on,
    and a program of the list that is missing fails its test.
    """
    targets = ' '.join(sorted({e.collection for e in entries()}))
    OBJ.mkdir(parents=True, exist_ok=True)
    env = {k: v for k, v in os.environ.items() if k not in ('MAKEFLAGS', 'MAKELEVEL', 'O')}
    with open(OBJ / 'make.log', 'w', encoding='utf-8') as log:
        for directory, words, must in (
                (SOURCE, ['headers'], True),
                (SOURCE / 'tools/testing/selftests', ['-k', f'TARGETS={targets}', *EXTRA, 'all'], False)):
            subprocess.run(['make', '-s', '-C', directory, 'ARCH=x86_64', f'O={OBJ}', *words],
                           stdout=log, stderr=subprocess.STDOUT, env=env,
                           stdin=subprocess.DEVNULL, check=must)
    return OBJ / 'kselftest'


def disk(image):
    """An image with the programs, their scripts and the runner's helpers."""
    with images.locked('kselftest'):
        return _disk(image)


def _disk(image):
    folder = build()
    tree = TESTS / 'kselftest-tree'
    subprocess.run(['rm', '-rf', tree], check=True)
    subprocess.run(['cp', '-a', folder, tree], check=True)
    # Scripts that a program or the list starts stay in the source tree.
    for entry in entries():
        source = SOURCE / 'tools/testing/selftests' / entry.collection
        for script in source.glob('*'):
            target = tree / entry.collection / script.name
            if script.suffix in ('.sh', '.py', '') and script.is_file() \
                    and os.access(script, os.X_OK) and not target.exists():
                target.write_bytes(script.read_bytes())
                target.chmod(0o755)
    _libraries(tree)
    # execveat wants a file that is not executable under this name.
    (tree / 'exec' / 'Makefile').write_text('# not a program\n')
    subprocess.run(['truncate', '-s', '512M', image], check=True)
    subprocess.run(['/sbin/mke2fs', '-q', '-t', 'ext4', '-F', '-d', tree, image], check=True)
    return image


def _libraries(tree):
    """Copy LIBRARIES that the programs need to the folder lib."""
    programs = [p for p in tree.glob('*/*') if p.is_file() and os.access(p, os.X_OK)]
    text = subprocess.run(['ldd', *programs], capture_output=True, text=True, check=False).stdout
    (tree / 'lib').mkdir()
    for path in set(re.findall(r'=> (/\S+) \(0x', text)):
        if re.search(LIBRARIES, path):
            shutil.copy2(os.path.realpath(path), tree / 'lib' / os.path.basename(path))


def command(entry, seconds=600):
    """The shell command that runs one entry below /mnt.

    Some programs print millions of lines: only the end comes to the console.
    """
    return (f'export LD_LIBRARY_PATH=/mnt/lib; cd /mnt/{entry.collection} && timeout -k 5 {seconds} '
            f'./{entry.program} {entry.argument} < /dev/null > /tmp/out 2>&1; code=$?; '
            f'tail -c 6000 /tmp/out; (exit $code)')


def verdict(code):
    """The name of an exit code."""
    return VERDICTS.get(code, 'fail')


def not_ok(text):
    """Lines of the output that tell what failed."""
    lines = [line for line in text.splitlines()
             if re.search(r'^\s*(# )?not ok|FAIL|Bail out|Assert', line)]
    return '\n'.join(lines[:30] or text.splitlines()[-15:])
