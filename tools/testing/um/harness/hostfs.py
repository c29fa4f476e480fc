# SPDX-License-Identifier: GPL-2.0
"""Directories that guests see through hostfs."""

import os
import pwd
import subprocess

from .guest import Guest


class Share:
    """A directory and a guest that has it at /mnt.

    options: of the mount; None: don't mount
    user: start the kernel as this user of the host
    """

    def __init__(self, image, folder, options='', args=(), user=None, root=None, **kwargs):
        self.dir = folder / 'share'
        self.dir.mkdir(exist_ok=True)
        self.guest = Guest(f'ubd0={image}', 'mem=256M', f'hostfs={root or self.dir}', *args,
                           **kwargs)
        self.guest.boot()
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


# What both sides must agree about.
FORMAT = '%F|%a|%h|%u|%g|%s|%t:%T|%i|%y'


def stat_host(path):
    """Facts about a file, as the host's stat(1) prints them."""
    done = subprocess.run(['stat', '-c', FORMAT, path], capture_output=True, text=True,
                          check=True, env={**os.environ, 'TZ': 'UTC', 'LC_ALL': 'C'})
    return done.stdout.strip()


def nobody():
    """An ordinary user of the host."""
    return pwd.getpwnam('nobody')
