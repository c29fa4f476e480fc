# SPDX-License-Identifier: GPL-2.0
"""The storage part of make bench: the same files, read and written by the same
static program on the host and, as disks, in guests.

Three tables. The first is about the host's page cache: the host reads and writes a
file as any program does, guests have it as a disk and bypass only their own cache
(in the column "cached" they don't); the peer does what we do. Nobody syncs. The
second is about the medium: the host uses O_DIRECT, and so does the guest's disk.
The third compares a plain image with COW files: with one that has all sectors
already, and with a new one, whose reads end in the backing file. The rows first_*
are about writing what was never written: to sparse files and to new COW files.
"""

import os
import tempfile
from pathlib import Path

from harness import images, programs
from harness.guest import Guest
from harness.paths import BUILD, KERNEL_ARGS

from . import steps

SIZE = 128 << 20
FRESH = 32 << 20
# For each of them a disk per round.
FIRST = ['first_4k', 'first_128k']


class Host:
    """The program on a file of the host."""

    def __init__(self, name, *args):
        self.name = name
        self.command = [str(a) for a in args]

    def run(self, args, names):
        """One round: yields what steps.measure() does."""
        with steps.Program(programs.build() / 'disk', [*args, *self.command, *names]) as program:
            yield from program.measure()

    def close(self):
        """Nothing to end."""


class Uml:
    """The program on a disk of a guest that stays up between rounds.

    only: leave out what means nothing here
    fresh: disks that were not written yet, for FIRST
    """

    def __init__(self, name, kernel, root, device, options, only=None, fresh=()):
        self.name = name
        self.device = device
        self.only = only
        self.fresh = list(fresh)
        self.guest = Guest(f'ubd0={root}', 'mem=512M', *options, kernel=kernel, raw=True,
                           timeout=600, name=f'bench-{name}').boot()

    def _measure(self, args, device, *names):
        self.guest.sendline(f'/tests/disk {" ".join(args)} {device} {" ".join(names)}')
        yield from steps.measure(self.guest.con, self.guest.expect, self.guest.mark)

    def run(self, args, names):
        """One round."""
        names = [n for n in names if not self.only or n in self.only]
        yield from self._measure(args, self.device, *names)
        for name in FIRST if self.fresh else ():
            yield from self._measure(args, f'--direct /dev/ubd{self.fresh.pop(0)}', name)

    def close(self):
        """Power off."""
        self.guest.poweroff()
        self.guest.close(check=False)


def _file(folder, name):
    """A file with content, in the host's cache and on its disk."""
    path = Path(folder) / name
    with open(path, 'wb') as f:
        for _ in range(SIZE >> 20):
            f.write(os.urandom(1 << 20))
        os.fsync(f.fileno())
    return path


def _sparse(path, size):
    """A file without content."""
    path.touch()
    os.truncate(path, size)
    return path


def _settle(files):
    """What one has written must not be paid by the next; and all find the files cached."""
    for path in files:
        with open(path, 'rb') as f:
            os.fsync(f.fileno())
            while f.read(1 << 20):
                pass


def _table(options, files, subjects, names, results_of):
    """In turns, round by round; @files is what they read and write."""
    results = results_of()
    args = ['--steps', '--time', str(options.time)]
    started = []
    try:
        for make in subjects:
            started.append(make())
        for _ in range(options.rounds):
            for subject in started:
                _settle(files)
                for row in subject.run(args, names):
                    results.add(subject.name, *row)
    finally:
        for subject in started:
            subject.close()
    return [s.name for s in started], results


def _cow_subjects(uml, kernel, folder, rounds):
    """The subjects of the third table: files they use, and how to make them."""
    plain, back = _file(folder, 'plain'), _file(folder, 'back')
    # Some drive letters for fresh disks, two for each round; c is a disk, too.
    letters = 'defghijklmnop'[:2 * rounds]
    empty = _sparse(Path(folder) / 'empty', FRESH)
    sparse, cows = [], []
    for letter in letters:
        sparse.append(f'ubd{letter}={_sparse(Path(folder) / f"sparse-{letter}", FRESH)}')
        cows.append(f'ubd{letter}={folder}/cow-{letter},{empty}')

    files = [plain, back, Path(folder) / 'cow']

    def full():
        """A COW file that has all sectors."""
        subject = uml('COW', kernel, '--direct /dev/ubdb', f'ubdb={folder}/cow,{back}',
                      *cows, *KERNEL_ARGS, fresh=letters)()
        subject.guest.out(f'dd if=/dev/zero of=/dev/ubdb bs=1M count={SIZE >> 20} conv=fsync '
                          '2>/dev/null')
        # All in the same state: read by the host, not as somebody has written it.
        for path in files:
            with open(path, 'rb') as f:
                os.fsync(f.fileno())
                os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return subject

    return files, [
        uml('raw', kernel, '--direct /dev/ubdb', f'ubdb={plain}', *sparse, *KERNEL_ARGS,
            fresh=letters),
        full,
        uml('new COW', kernel, '--direct /dev/ubdb', f'ubdb={folder}/new,{back}', *KERNEL_ARGS,
            only=['read_4k_q32', 'read_4k', 'read_128k'])]


def measure(options, kernel, peer, results_of):
    """Yields (title, names of the subjects, results) for each table."""
    image = images.busybox()
    with tempfile.TemporaryDirectory(prefix='umb-', dir=BUILD) as folder:
        cached, direct = _file(folder, 'cached'), _file(folder, 'direct')
        count = iter(range(100))

        def uml(name, program, device, *words, **kwargs):
            def make():
                root = images.copy(image, Path(folder) / f'root{next(count)}.img')
                return Uml(name, program, root, device, words, **kwargs)
            return make

        ours = [uml(engine, kernel, '--direct /dev/ubdb', f'ubdbc={cached}',
                    f'ubd_engine={engine}', *KERNEL_ARGS) for engine in ('io_uring', 'threads')]
        ours.append(uml('cached', kernel, '/dev/ubdb', f'ubdbc={cached}', *KERNEL_ARGS,
                        only=['read_128k', 'write_128k']))
        if peer:
            ours.append(uml('linux.uml', peer, '--direct /dev/ubdb', f'ubdbc={cached}'))
        yield ('disks, host with page cache',
               *_table(options, [cached], [lambda: Host('host', cached), *ours],
                       ['read_4k_q32', 'write_4k_q32', 'read_4k', 'write_4k', 'read_128k',
                        'write_128k'], results_of))
        yield ('disks, host with O_DIRECT',
               *_table(options, [direct],
                       [lambda: Host('host', '--direct', direct),
                        uml('io_uring', kernel, '--direct /dev/ubdb', f'ubdbc={direct}',
                            'ubd_opt=b,direct', 'ubd_engine=io_uring', *KERNEL_ARGS),
                        uml('threads', kernel, '--direct /dev/ubdb', f'ubdbc={direct}',
                            'ubd_opt=b,direct', 'ubd_engine=threads', *KERNEL_ARGS)],
                       ['read_4k_q32', 'write_4k_q32', 'read_4k'], results_of))
        files, subjects = _cow_subjects(uml, kernel, folder, min(options.rounds, 6))
        yield ('disks, plain image and COW files',
               *_table(options, files, subjects,
                       ['read_4k_q32', 'write_4k_q32', 'read_4k', 'write_4k', 'read_128k',
                        'write_128k'], results_of))
