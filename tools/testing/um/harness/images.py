# SPDX-License-Identifier: GPL-2.0
"""Root images for the tests, made by scripts/mkimage and kept in build/tests.

A test gets a copy of its own (sparse, so cheap): it may write to it, crash it
and check it afterwards.
"""

import fcntl
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from . import programs
from .paths import BUILD, MKIMAGE, TESTS, TOP


@contextmanager
def _lock(name):
    """Only one worker builds an image, the others wait for it."""
    TESTS.mkdir(parents=True, exist_ok=True)
    with open(TESTS / f'{name}.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _newest(*roots):
    newest = 0
    for root in roots:
        for path in [root, *root.rglob('*')] if root.is_dir() else [root]:
            newest = max(newest, path.lstat().st_mtime)
    return newest


def _dynamic_shell(overlay):
    """The host's /bin/sh as /tests/sh, with its libraries at their places.

    busybox is static; starting a dynamic program is another matter, and the
    benchmark must start the same one everywhere.
    """
    shutil.copy2(os.path.realpath('/bin/sh'), overlay / 'tests' / 'sh')
    done = subprocess.run(['ldd', '/bin/sh'], capture_output=True, text=True, check=True)
    for path in re.findall(r'(/\S+) \(0x', done.stdout):
        target = overlay / path.lstrip('/')
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(os.path.realpath(path), target)


def busybox():
    """The small image with the guest programs in /tests."""
    image = TESTS / 'busybox.img'
    with _lock('busybox'):
        folder = programs.build()
        inputs = [MKIMAGE, TOP / 'scripts' / 'images', folder]
        if image.exists() and image.stat().st_mtime > _newest(*inputs):
            return image
        overlay = TESTS / 'overlay'
        shutil.rmtree(overlay, ignore_errors=True)
        (overlay / 'tests').mkdir(parents=True)
        for name in programs.all_names():
            shutil.copy2(folder / name, overlay / 'tests' / name)
        _dynamic_shell(overlay)
        subprocess.run([MKIMAGE, 'busybox', image, '--size', '128M',
                        '--overlay', overlay],
                       stdout=subprocess.DEVNULL, check=True)
        os.utime(image)
    return image


def debian(profile='minimal', include=''):
    """Debian 12 with systemd; mkimage keeps it under a hash of its inputs.

    Made without /tests: guest programs belong to the busybox image.
    """
    name = f'debian-{profile}' + ('-tests' if include else '')
    image = BUILD / 'images' / f'{name}.img'
    with _lock(name):
        if not image.exists() or \
                image.stat().st_mtime < _newest(TOP / 'scripts' / 'images' / 'debian-setup'):
            size = '3G' if profile == 'minimal' else '6G'
            subprocess.run([MKIMAGE, 'debian', image, '--profile', profile, '--size', size]
                           + (['--include', include] if include else []), check=True)
            os.utime(image)
    return image


def copy(image, target):
    """A sparse copy of an image."""
    subprocess.run(['cp', '--sparse=always', '--reflink=auto', image, target], check=True)
    return Path(target)


def blank(target, size='16M', fs=None):
    """An empty image, with a file system if one is named."""
    subprocess.run(['truncate', '-s', size, target], check=True)
    if fs:
        subprocess.run([f'/sbin/mkfs.{fs}', '-q', '-F', target], check=True)
    return Path(target)


def fsck(image):
    """Exit code and output of a check that changes nothing."""
    done = subprocess.run(['/sbin/e2fsck', '-fn', image], capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stdout + done.stderr
