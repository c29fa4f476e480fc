# SPDX-License-Identifier: GPL-2.0
"""Both ways to run guest code.

Promise: seccomp and ptrace mode can't be told apart by programs, and both are
chosen as asked for.
"""

import os
import subprocess

import pytest

from harness import images, programs
from harness.guest import Guest
from harness.paths import BUILD
from harness.tap import Tap

MODES = ('seccomp', 'ptrace')
HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(scope='module')
def alone():
    """The backends' own test program, built."""
    out = os.path.join(BUILD, 'tests', 'host')
    os.makedirs(out, exist_ok=True)
    subprocess.run(['make', '-s', '-C', os.path.join(HERE, 'host'), f'O={out}',
                    f'{out}/usermode_test'], check=True)
    return os.path.join(out, 'usermode_test')


@pytest.mark.parametrize('mode', MODES)
def test_alone(alone, mode):
    """Every event, attacks and deaths, without a kernel."""
    done = subprocess.run([alone, f'usermode={mode}'], capture_output=True, text=True,
                          timeout=600, check=False)
    Tap(done.stdout).check()
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope='module')
def traced(busybox, tmp_path_factory):
    """A guest in ptrace mode."""
    root = images.copy(busybox, tmp_path_factory.mktemp('traced') / 'root.img')
    g = Guest(f'ubd0={root}', 'mem=512M', 'usermode=ptrace', name='traced').boot()
    yield g
    assert g.poweroff() == 0
    g.close()


@pytest.mark.parametrize('name', programs.names())
def test_ptrace_mode(traced, name):
    """The guest programs give the same results in the other mode."""
    args = {'storm': '--seconds 5', 'fp': '--loops 200'}.get(name, '')
    code, text = traced.run(f'/tests/{name} {args}', timeout=300)
    Tap(text).check()
    assert code == 0, text


@pytest.mark.parametrize('option, mode', [
    ('usermode=seccomp', 'seccomp'), ('usermode=ptrace', 'ptrace'),
    ('usermode=auto', 'seccomp'), ('seccomp=on', 'seccomp'),
    ('seccomp=off', 'ptrace'), ('seccomp=auto', 'seccomp'),
])
def test_choice(guest, image, option, mode):
    """The boot log says which mode was taken."""
    g = guest(f'ubd0={image}', 'mem=128M', option).boot()
    assert f'running in {mode} mode' in g.run('dmesg')[1]
    assert g.poweroff() == 0
