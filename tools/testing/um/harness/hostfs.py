# SPDX-License-Identifier: GPL-2.0
"""Directories that guests see through hostfs."""

import os
import subprocess

from . import programs
from .guest import Guest
from .paths import KERNEL

NOBODY = 65533

# What both sides must agree about.
FORMAT = '%F|%a|%h|%u|%g|%s|%t:%T|%i|%y'


def ordinary_user(place, *args):
    """Arguments of a Guest whose kernel has no rights; place is a folder for all."""
    for name in ('home', 'tmp'):
        (place / name).mkdir(exist_ok=True)
        (place / name).chmod(0o777)
    return [f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups', '--bounding-set=-all',
            '--inh-caps=-all', '--no-new-privs', KERNEL, *args], \
        {'raw': True, 'kernel': '/usr/bin/setpriv',
         'env': {'HOME': place / 'home', 'TMPDIR': place / 'tmp'}}


class Share:
    """A directory, folder/share, and a guest that has it at /mnt.

    options: of the mount; None: don't mount
    user: start the kernel without rights
    root: for hostfs=, if it is not just that directory
    prefix: what comes before the kernel's arguments
    """

    def __init__(self, image, folder, options='', user=False, root=None, prefix=(), **kwargs):
        self.dir = folder / 'share'
        self.dir.mkdir(exist_ok=True)
        args = [*prefix, f'ubd0={image}', 'mem=256M', f'hostfs={root or self.dir}']
        if user:
            os.chown(self.dir, NOBODY, NOBODY)
            args, more = ordinary_user(folder, *args)
            kwargs.update(more)
        self.guest = Guest(*args, **kwargs).boot()
        if options is not None:
            self.guest.out(f'mount -t hostfs none /mnt {"-o " + options if options else ""}')

    def path(self, name):
        """A file as the host sees it."""
        return self.dir / name

    def end(self):
        """Unmount and power off; nothing may have gone wrong in the kernel."""
        g = self.guest
        g.run('cd /; umount /mnt')
        bad = g.run("dmesg | grep -E 'WARNING|Oops|BUG|leak'")[1].strip()
        assert not bad, bad
        assert g.poweroff() == 0


def stat_host(path):
    """Facts about a file, as the host's stat(1) prints them."""
    done = subprocess.run(['stat', '-c', FORMAT, path], capture_output=True, text=True,
                          check=True, env={**os.environ, 'TZ': 'UTC', 'LC_ALL': 'C'})
    return done.stdout.strip()


def storm(s, ops, seed):
    """Run the storm; both sides must agree about what is left of the tree."""
    code, text = s.guest.run(f'/tests/fstorm /mnt --ops {ops} --seed {seed}', timeout=3600)
    assert code == 0, text
    s.guest.out('/tests/fstorm /mnt --digest > /tmp/digest')
    want = subprocess.run([programs.PROGRAMS / 'fstorm', s.dir, '--digest'], check=True,
                          capture_output=True, text=True).stdout
    assert s.guest.out('cat /tmp/digest') == want.strip()
