# SPDX-License-Identifier: GPL-2.0
"""The storage part of make bench: the same files, read and written by the same
static program on the host and, as disks, in guests.

Two tables. One is about the host's page cache: the host reads and writes a file
as any program does, guests have it as a disk and bypass only their own cache
(in the column "cached" they don't); the peer does what we do. The other is
about the medium: the host uses O_DIRECT, and so does the guest's disk.
"""

import os
import tempfile
from pathlib import Path

from harness import images, programs
from harness.guest import Guest
from harness.paths import BUILD, KERNEL_ARGS

from . import steps

SIZE = 128 << 20


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
    """The program on a disk of a guest that stays up between rounds."""

    def __init__(self, name, kernel, root, device, options, only=None):
        self.name = name
        self.device = device
        self.only = only
        self.guest = Guest(f'ubd0={root}', 'mem=512M', *options, kernel=kernel, raw=True,
                           timeout=600, name=f'bench-{name}').boot()

    def run(self, args, names):
        """One round; @only leaves out what means nothing here."""
        names = [n for n in names if not self.only or n in self.only]
        self.guest.sendline(f'/tests/disk {" ".join(args)} {self.device} {" ".join(names)}')
        yield from steps.measure(self.guest.con, self.guest.expect, self.guest.mark)

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


def _settle(path):
    """What one has written must not be paid by the next; and all find the file cached."""
    with open(path, 'rb') as f:
        os.fsync(f.fileno())
        while f.read(1 << 20):
            pass


def _table(options, file, subjects, names, results_of):
    results = results_of()
    args = ['--steps', '--time', str(options.time)]
    started = []
    try:
        for make in subjects:
            started.append(make())
        for _ in range(options.rounds):
            for subject in started:
                _settle(file)
                for row in subject.run(args, names):
                    results.add(subject.name, *row)
    finally:
        for subject in started:
            subject.close()
    return [s.name for s in started], results


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
               *_table(options, cached, [lambda: Host('host', cached), *ours],
                       ['read_4k_q32', 'read_4k', 'write_4k', 'read_128k', 'write_128k'],
                       results_of))
        yield ('disks, host with O_DIRECT',
               *_table(options, direct,
                       [lambda: Host('host', '--direct', direct),
                        uml('io_uring', kernel, '--direct /dev/ubdb', f'ubdbc={direct}',
                            'ubd_opt=b,direct', 'ubd_engine=io_uring', *KERNEL_ARGS),
                        uml('threads', kernel, '--direct /dev/ubdb', f'ubdbc={direct}',
                            'ubd_opt=b,direct', 'ubd_engine=threads', *KERNEL_ARGS)],
                       ['read_4k_q32', 'read_4k'], results_of))
