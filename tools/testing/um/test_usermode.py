# SPDX-License-Identifier: GPL-2.0
"""The ways to run guest code.

Promise: seccomp mode with and without patched system calls and ptrace mode can't
be told apart by programs, and are chosen as asked for.
"""

import os
import re
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


@pytest.fixture(scope='module', params=['usermode=ptrace', 'patch=off'])
def other(request, busybox, tmp_path_factory):
    """A guest in another than the default mode."""
    name = request.param.replace('=', '-')
    root = images.copy(busybox, tmp_path_factory.mktemp(name) / 'root.img')
    g = Guest(f'ubd0={root}', 'mem=512M', request.param, name=name).boot()
    yield g
    assert g.poweroff() == 0
    g.close()


@pytest.mark.parametrize('name', programs.names())
def test_other_modes(other, name):
    """The guest programs give the same results in the other modes."""
    args = {'storm': '--seconds 5', 'fp': '--loops 200'}.get(name, '')
    code, text = other.run(f'/tests/{name} {args}', timeout=300)
    Tap(text).check()
    assert code == 0, text


@pytest.mark.long
@pytest.mark.parametrize('option', ['patch=on', 'patch=off', 'usermode=ptrace'])
def test_canaries(guest, image, option):
    """Registers survive a million switches, and the signals and kicks among them."""
    g = guest(f'ubd0={image}', 'mem=256M', option).boot()
    text = g.run('/tests/fp --loops 110000', timeout=7200)[1]
    Tap(text).check()
    assert int(re.search(r'(\d+) switches', text).group(1)) > 1000000, text
    assert g.poweroff() == 0


def counters(shell):
    """How many system calls came by patched instructions, and by others."""
    shell.run('mkdir -p /tmp/debug; mount -t debugfs none /tmp/debug')
    text = shell.run('cat /tmp/debug/um/syscall_sites; umount /tmp/debug')[1]
    found = dict(re.findall(r'^calls_(\w+) (\d+)', text, re.M))
    return int(found['patched']), int(found['trapped'])


@pytest.mark.parametrize('option, least, most', [
    ('patch=on', 95, 100), ('patch=off', 0, 0), ('usermode=ptrace', 0, 0),
])
def test_patched_share(guest, image, option, least, most):
    """What of all system calls of ordinary work is patched."""
    g = guest(f'ubd0={image}', 'mem=256M', option).boot()
    g.run('find / -xdev > /dev/null')
    before = counters(g)
    for _ in range(3):
        assert g.run('ls -lR / > /dev/null 2>&1; tar cf - /bin /tests | md5sum; '
                     'find / -xdev | wc -l; dd if=/dev/zero of=/dev/null bs=1 count=5000',
                     timeout=300)[0] == 0
    patched, trapped = (b - a for a, b in zip(before, counters(g)))
    share = 100 * patched / (patched + trapped)
    assert least <= share <= most, (patched, trapped)
    assert g.poweroff() == 0


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
