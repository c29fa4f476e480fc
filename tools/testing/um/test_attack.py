# SPDX-License-Identifier: GPL-2.0
"""Attacks by guest code on the user mode, and the proof that they can succeed.

Promise: whatever a guest program does, it harms its own process and nobody
else.  Each attack is also run against a copy of the host half that lacks the
protection in question; there it has to succeed, or it would prove nothing.
"""

import os
import random
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness import weaken
from harness.guest import Died, Hang
from harness.paths import KERNEL
from harness.tap import Tap

# For those who succeed by keeping the kernel busy for ever.
PATIENCE_S = 15
# Longer than programs take that do not succeed.
PATIENCE_GUEST_S = 40
ONE_CPU = len(os.sched_getaffinity(0)) < 2
# What guest/attack_stub.c has the host make, if it can.
HOST_PATH = Path('/tmp/um-guest-attack')
PROGRAMS = ('attack_stub', 'attack_regs', 'attack_forge', 'attack_liar')
STORM = [signal.SIGSEGV, signal.SIGBUS, signal.SIGTRAP, signal.SIGILL, signal.SIGFPE,
         signal.SIGSYS, signal.SIGALRM, signal.SIGTERM, signal.SIGUSR1, signal.SIGSTOP,
         signal.SIGCONT, signal.SIGTSTP, signal.SIGCHLD, signal.SIGIO]


@pytest.fixture(scope='module')
def base(tmp_path_factory):
    """The attacks' own program, built; its folder."""
    folder = tmp_path_factory.mktemp('attack')
    weaken.build(folder)
    return folder


def _run(program, *args):
    return subprocess.run([program, *args], capture_output=True, text=True,
                          timeout=1800, check=False)


def test_attacks(base):
    """None succeeds."""
    done = _run(base / 'attack')
    Tap(done.stdout).check()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize('name', weaken.names())
def test_weakened(base, tmp_path, name):
    """Without a protection, those it is for succeed."""
    if ONE_CPU and weaken.needs_two_cpus(name):
        pytest.skip('needs two CPUs')
    done = _run(weaken.build_weak(name, base, tmp_path), f'weak={PATIENCE_S}',
                *weaken.breaks(name))
    tap = Tap(done.stdout)
    assert not tap.problems, done.stdout + done.stderr
    assert not tap.passed, f'not noticed: {tap.passed}\n{done.stdout}'


def test_each_can_fail(base):
    """There is no attack that succeeds nowhere."""
    attacks = set(_run(base / 'attack', 'list').stdout.split())
    proven = {attack for name in weaken.names() for attack in weaken.breaks(name)}
    assert attacks == proven


def _fds(pid):
    try:
        return len(os.listdir(f'/proc/{pid}/fd'))
    except OSError:
        return None


def _stubs(g):
    return [pid for pid, proc in g.host_processes().items() if proc.comm == 'uml-guest']


def _users(g):
    """Processes in the guest that are programs: init may still be starting some."""
    return int(g.out('grep -l . /proc/[0-9]*/cmdline | wc -l'))


@pytest.mark.parametrize('mode', ['seccomp', 'ptrace'])
def test_host_untouched(guest, image, mode):
    """Attackers in a guest leave nothing on the host, and the guest as it was."""
    g = guest(f'ubd0={image}', 'mem=256M', f'usermode={mode}').boot()
    # Fill the pool of stubs.
    g.run('for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; wait')
    users = _users(g)
    fds, stubs = _fds(g.pid), len(_stubs(g))
    for name in PROGRAMS:
        code, text = g.run(f'/tests/{name}', timeout=300)
        Tap(text).check()
        assert code == 0, text
        assert not HOST_PATH.exists(), f'{name} made {HOST_PATH} on the host'
    g.run('true')
    assert _fds(g.pid) == fds, 'the kernel process has other descriptors than before'
    # Who was killed may need a moment.
    end = time.monotonic() + 60
    left = _stubs(g)
    while len(left) > stubs + 2 * (_users(g) - users):
        assert time.monotonic() < end, \
            f'{len(left)} stubs, there were {stubs}\n' + g.run('ps')[1]
        left = _stubs(g)
    assert {_fds(pid) for pid in left} <= {0, 2, None}, 'a stub has descriptors'
    assert not re.search('BUG:|WARNING:|Oops|Call Trace', g.run('dmesg')[1])
    assert g.poweroff() == 0


def test_signal_storm(guest, image):
    """Signals that the host sends to guest processes are not seen by programs."""
    g = guest(f'ubd0={image}', 'mem=256M', 'usermode=seccomp').boot()
    over = threading.Event()
    sent = [0]

    def storm():
        while not over.is_set():
            for pid in _stubs(g):
                try:
                    os.kill(pid, random.choice(STORM))
                    sent[0] += 1
                except ProcessLookupError:
                    pass

    thread = threading.Thread(target=storm)
    thread.start()
    try:
        # On a busy machine the storm may be a breeze: go on until it was one.
        while sent[0] < 300:
            for name in ('signals', 'tls', 'fp --loops 100'):
                code, text = g.run(f'/tests/{name}', timeout=300)
                if code:
                    text += g.run('dmesg | tail -n 5')[1]
                Tap(text).check()
                assert code == 0, text
    finally:
        over.set()
        thread.join()
    assert g.poweroff() == 0


@pytest.mark.parametrize('program, symbol, old, new', [
    # .eager: mappings that are to go are only noted until the guest goes on.
    pytest.param('attack_liar', 'seccomp_backend', b'\x01', b'\0', id='lazy'),
    # The agent maps orders and answers: mov $PROT_READ, %edx; mov $0x11, %r10d.
    pytest.param('attack_stub', 'sc_image', b'\xba\x01\0\0\0\x41\xba\x11',
                 b'\xba\x03', id='orders-writable'),
])
def test_weakened_kernel(guest, image, tmp_path, program, symbol, old, new):
    """The programs in the guest can fail, too: with some bytes of the kernel changed."""
    if ONE_CPU:
        pytest.skip('needs two CPUs')
    kernel = weaken.patched(KERNEL, tmp_path / 'linux', symbol, old, new)
    g = guest(f'ubd0={image}', 'mem=256M', 'usermode=seccomp', kernel=kernel).boot()
    # A liar needs a CPU of its own at the right moment, which a busy host may not give.
    for _ in range(10):
        tap = Tap(g.run(f'/tests/{program}', timeout=300)[1])
        assert not tap.problems, tap.text
        if tap.failed:
            return
    pytest.fail(tap.text)


@pytest.mark.parametrize('name, program', weaken.in_guests())
def test_weakened_guest(guest, image, tmp_path, name, program):
    """... or with one protection less, in which case the kernel may not survive it."""
    kernel = weaken.kernel(name, tmp_path)
    g = guest(f'ubd0={image}', 'mem=256M', 'usermode=seccomp', kernel=kernel).boot()
    try:
        tap = Tap(g.run(f'/tests/{program}', timeout=PATIENCE_GUEST_S)[1])
    except (Hang, Died):
        return
    assert tap.failed and not tap.problems, tap.text
