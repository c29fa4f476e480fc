# SPDX-License-Identifier: GPL-2.0
"""Fixtures: guests that are cleaned up after, and one that tests share."""

import os
import re
import subprocess

import pytest

from harness import images
from harness.guest import Died, Guest, Hang
from harness.hostfs import Share
from harness.paths import KERNEL


def pytest_configure(config):
    """Declare the markers; the kernel must be there before anything runs."""
    for line in ('long: too slow for CI; only `make test-long` runs it',
                 'build: compiles a kernel',
                 'debian: boots the Debian image',
                 'kernel(name): needs another kernel than ./linux'):
        config.addinivalue_line('markers', line)


def pytest_collection_modifyitems(config, items):
    """Without --long leave the long ones out: deselected, not skipped."""
    if config.getoption('--long'):
        return
    keep = [i for i in items if not i.get_closest_marker('long')]
    config.hook.pytest_deselected(items=[i for i in items if i not in keep])
    items[:] = keep


def pytest_addoption(parser):
    """--long adds the long tests."""
    parser.addoption('--long', action='store_true', help='also the long tests')


@pytest.fixture(scope='session', autouse=True)
def kernel():
    """The kernel under test."""
    if not os.access(KERNEL, os.X_OK):
        pytest.exit(f'{KERNEL} is missing: run make', returncode=2)
    return KERNEL


@pytest.fixture(scope='session')
def busybox():
    """The busybox image; not to be written to, see the fixture image."""
    return images.busybox()


@pytest.fixture
def image(busybox, tmp_path):
    """A copy of the busybox image."""
    return images.copy(busybox, tmp_path / 'root.img')


@pytest.fixture
def tmpfs(tmp_path):
    """Mount a tmpfs of a size; returns a function that mounts or changes it.

    A file system that is soon full, and then has room again.
    """
    points = []

    def mount(size, name='tmpfs'):
        point = tmp_path / name
        words = ['-o', f'remount,size={size}', point] if point.is_mount() else \
            ['-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', point]
        point.mkdir(exist_ok=True)
        if subprocess.run(['mount', *words], stderr=subprocess.DEVNULL, check=False).returncode:
            pytest.skip('cannot mount a tmpfs here')
        points.append(point)
        return point

    yield mount
    for point in set(points):
        subprocess.run(['umount', '-l', point], check=True)


def _name(request):
    return re.sub(r'[^\w.-]+', '_', request.node.name)


@pytest.fixture
def guest(request):
    """Start guests: guest('ubd0=...', ...) is a Guest; all end with the test."""
    started = []

    def start(*args, **kwargs):
        kwargs.setdefault('name', _name(request))
        g = Guest(*args, **kwargs)
        started.append(g)
        return g

    yield start
    errors = []
    for g in started:
        try:
            g.close()
        except AssertionError as err:
            errors.append(str(err))
    assert not errors, '\n'.join(errors)


@pytest.fixture
def booted(guest, image):
    """A busybox guest of the test's own, at its prompt."""
    return guest(f'ubd0={image}', 'mem=256M').boot()


@pytest.fixture
def share(image, tmp_path, request):
    """Make shares: share(options, ...) has a directory mounted at /mnt."""
    made = []

    def make(options='', **kwargs):
        kwargs.setdefault('name', f'hostfs-{request.node.name}')
        s = Share(image, tmp_path, options, **kwargs)
        made.append(s)
        return s

    yield make
    for s in made:
        s.guest.close(check=False)


class Shared:
    """A guest for tests that leave no trace; a dead one is replaced."""

    def __init__(self, image, folder):
        self.image = image
        self.folder = folder
        self.guest = None
        self.count = 0

    def get(self):
        """The guest, at its prompt."""
        if self.guest and self.guest.alive():
            try:
                self.guest.con.sendline('')
                self.guest.run('true', timeout=20)
                return self.guest
            except (Hang, Died):
                self.drop()
        root = images.copy(self.image, self.folder / f'shared{self.count}.img')
        self.count += 1
        self.guest = Guest(f'ubd0={root}', 'mem=512M', name='shared').boot()
        return self.guest

    def drop(self):
        """End it."""
        if self.guest:
            self.guest.close(check=False)
        self.guest = None


@pytest.fixture(scope='session')
def _shared(busybox, tmp_path_factory):
    shared = Shared(busybox, tmp_path_factory.mktemp('shared'))
    yield shared
    if shared.guest and shared.guest.alive():
        assert shared.guest.poweroff() == 0
        shared.guest.close()
    else:
        shared.drop()


@pytest.fixture
def shell(_shared):
    """The shared busybox guest: run commands, leave no trace."""
    try:
        yield _shared.get()
    except (Hang, Died):
        _shared.drop()
        raise
