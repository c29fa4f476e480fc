# SPDX-License-Identifier: GPL-2.0
"""Root images for the tests, made by scripts/mkimage and kept in build/tests.

A test gets a copy of its own (sparse, so cheap): it may write to it, crash it
and check it afterwards.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from . import programs
from .paths import BUILD, MKIMAGE, TESTS, TOP


@contextmanager
def locked(name):
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


def _dynamic(program, target, overlay):
    """A program of the host at another place, with its libraries at theirs."""
    shutil.copy2(os.path.realpath(program), overlay / target)
    done = subprocess.run(['ldd', program], capture_output=True, text=True, check=True)
    for path in re.findall(r'(/\S+) \(0x', done.stdout):
        library = overlay / path.lstrip('/')
        library.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(os.path.realpath(path), library)


def _small(name, size, inputs, fill):
    """A busybox image with what fill(overlay) leaves there in /tests."""
    image = TESTS / f'{name}.img'
    with locked(name):
        inputs = [MKIMAGE, TOP / 'scripts' / 'images', *inputs()]
        if image.exists() and image.stat().st_mtime > _newest(*inputs):
            return image
        overlay = TESTS / f'overlay-{name}'
        shutil.rmtree(overlay, ignore_errors=True)
        (overlay / 'tests').mkdir(parents=True)
        fill(overlay)
        subprocess.run([MKIMAGE, 'busybox', image, '--size', size, '--overlay', overlay],
                       stdout=subprocess.DEVNULL, check=True)
        os.utime(image)
    return image


def busybox():
    """The small image with the guest programs in /tests."""
    def fill(overlay):
        for name in programs.all_names():
            shutil.copy2(programs.PROGRAMS / name, overlay / 'tests' / name)
        # busybox is static; starting a dynamic program is another matter, and the
        # benchmark must start the same one everywhere.
        _dynamic('/bin/sh', 'tests/sh', overlay)

    return _small('busybox', '128M', lambda: [programs.build()], fill)


def with_program(name):
    """The small image with a program of the host, such as stress-ng, in /tests."""
    program = shutil.which(name)
    assert program, f'{name} is missing: run scripts/install-deps test'

    def fill(overlay):
        _dynamic(program, f'tests/{name}', overlay)

    return _small(f'with-{name}', '256M', lambda: [Path(program)], fill)


def debian(profile='minimal', include=''):
    """Debian 12 with systemd; mkimage keeps it under a hash of its inputs.

    Made without /tests: guest programs belong to the busybox image.
    """
    name = f'debian-{profile}'
    if include:
        # Another list is another image.
        name += '-tests-' + hashlib.sha256(include.encode()).hexdigest()[:8]
    image = BUILD / 'images' / f'{name}.img'
    with locked(name):
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
