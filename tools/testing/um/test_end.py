# SPDX-License-Identifier: GPL-2.0
"""Endings: exit codes, signals, kills, panics - and what is left after them.

Promise: no stray host process, file or lock after any end, SIGKILL of any of
our processes included; the terminal is as it was.
"""

import os
import re
import select
import signal
import subprocess
import termios
import time
import uuid

import pexpect
import pytest

from harness import hostproc
from harness.guest import PROMPT
from harness.paths import KERNEL, KERNEL_ARGS


@pytest.fixture
def up(guest, busybox):
    """A guest at its prompt, with a few processes of its own."""
    g = guest(f'ubd0r={busybox}', 'mem=128M').boot()
    g.run('sleep 1000 & sleep 1000 & cat < /dev/zero > /dev/null & true')
    return g


@pytest.mark.parametrize('command', ['poweroff', 'poweroff -f', 'halt', 'halt -f'])
def test_halt(up, command):
    """Halt and power-off: exit code 0."""
    assert up.poweroff(command) == 0


@pytest.mark.parametrize('code', [7, 300])
def test_exitcode(up, code):
    """/proc/exitcode is the exit code, modulo 256."""
    if up.run('test -e /proc/exitcode')[0]:
        pytest.skip('this kernel has no /proc/exitcode')
    up.run(f'echo {code} > /proc/exitcode')
    assert up.poweroff('poweroff -f') == code % 256


def test_panic(up):
    """A panic: its message, a non-zero exit."""
    up.sendline('echo c > /proc/sysrq-trigger')
    up.expect('Kernel panic', panic_ok=True)
    assert up.wait_exit() != 0


@pytest.mark.parametrize('value', ['0', '1', '-1'])
def test_panic_option(guest, busybox, value):
    """With panic= as well; no value makes it hang or loop."""
    g = guest(f'ubd0r={busybox}', 'mem=64M', f'panic={value}').boot()
    g.sendline('echo c > /proc/sysrq-trigger')
    g.expect('Kernel panic', panic_ok=True)
    if value == '0':
        assert g.wait_exit() != 0
    else:
        # panic=N reboots after N seconds, -1 at once; either is an end of
        # this run: a new boot or a non-zero exit.
        if g.con.expect(['Linux version', pexpect.EOF], timeout=60) == 0:
            g.boot()
            assert g.poweroff() == 0
        else:
            assert g.wait_exit() != 0


def test_init_dies(guest, busybox):
    """When init exits it is a panic, not a hang."""
    g = guest(f'ubd0r={busybox}', 'mem=64M', 'init=/bin/false')
    g.expect('Kernel panic', panic_ok=True)
    assert g.wait_exit() != 0


@pytest.mark.parametrize('sig', [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal(guest, image, sig):
    """The signals that ask for an end get one, in order."""
    g = guest(f'ubd0={image}', 'mem=128M').boot()
    g.run('sleep 1000 & true')
    g.signal(sig)
    status = g.wait_exit(30)
    assert status >= 0, f'died of signal {-status}'


def test_closed_terminal(guest, busybox):
    """The terminal goes away: so does the guest."""
    g = guest(f'ubd0r={busybox}', 'mem=64M').boot()
    # Not closed: pexpect would later close whatever has that number then.
    with open('/dev/null', 'r+b') as null:
        os.dup2(null.fileno(), g.con.child_fd)
    end = time.monotonic() + 30
    while time.monotonic() < end and g.host_processes():
        time.sleep(0.1)
    left = g.host_processes()
    hostproc.kill_all(g.pid, g.mark)
    assert not left, left


@pytest.mark.parametrize('how', ['poweroff', 'SIGTERM', 'panic'])
def test_terminal_restored(busybox, tmp_path, how):
    """The terminal's modes are what they were."""
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    mark = uuid.uuid4().hex
    env = {**os.environ, 'HOME': str(tmp_path), hostproc.MARK: mark}
    with subprocess.Popen([KERNEL, f'ubd0r={busybox}', 'mem=64M', *KERNEL_ARGS],
                          stdin=slave, stdout=slave, stderr=slave, env=env,
                          start_new_session=True) as child:
        try:
            text = b''
            while not re.search(PROMPT.encode(), text):
                ready, _, _ = select.select([master], [], [], 60)
                assert ready, f'no prompt: {text[-2000:]}'
                text += os.read(master, 65536)
            raw = termios.tcgetattr(slave)
            assert raw[3] & termios.ICANON == 0, 'the console is not raw'
            if how == 'SIGTERM':
                child.terminate()
            elif how == 'panic':
                os.write(master, b'echo c > /proc/sysrq-trigger\n')
            else:
                os.write(master, b'poweroff -f\n')
            end = time.monotonic() + 60
            os.set_blocking(master, False)
            while child.poll() is None and time.monotonic() < end:
                try:
                    os.read(master, 65536)
                except OSError:		# nothing there, or nobody
                    time.sleep(0.05)
            assert child.poll() is not None, 'no end'
            assert termios.tcgetattr(slave) == before
        finally:
            hostproc.kill_all(child.pid, mark)
            os.close(master)
            os.close(slave)


def test_kill_any(guest, busybox):
    """SIGKILL of any one host process leaves no other behind.

    Either that process was a guest program's, which then is killed in the
    guest, or the whole guest ends.  Each place is tried in a fresh guest.
    """
    position = 0
    tried = 0
    while tried < 12:
        g = guest(f'ubd0r={busybox}', 'mem=64M').boot()
        g.run('sleep 1000 & sleep 1000 & true')
        procs = sorted(g.host_processes())
        if position >= len(procs):
            g.close()
            break
        victim = procs[position]
        hostproc.kill(victim)
        if victim == g.pid:
            g.wait_exit(20)
            assert not g.strays(5), 'the main process was killed, others survive'
        else:
            # Whatever it was: the main process stays in charge or ends all.
            time.sleep(1)
            if g.alive():
                g.signal(signal.SIGTERM)
            g.wait_exit(30)
            assert not g.strays(5), f'{victim} was killed, others survive'
        g.close(check=False)
        position += 1
        tried += 1
    assert tried >= 2


def test_kill_main_while_busy(guest, image):
    """SIGKILL in the middle of a storm."""
    g = guest(f'ubd0={image}', 'mem=256M').boot()
    g.sendline('/tests/storm --seconds 60 &')
    time.sleep(3)
    g.signal(signal.SIGKILL)
    g.wait_exit(20)
    assert not g.strays(5)


def test_lock_dies_with_its_holder(guest, image):
    """After SIGKILL the image is free for the next guest at once."""
    g = guest(f'ubd0={image}', 'mem=64M').boot()
    g.signal(signal.SIGKILL)
    g.wait_exit(20)
    again = guest(f'ubd0={image}', 'mem=64M').boot()
    assert again.poweroff() == 0


def test_oom(guest, busybox):
    """A guest that runs out of memory kills a program, not itself."""
    g = guest(f'ubd0r={busybox}', 'mem=64M').boot()
    code, _ = g.run("head -c 200m /dev/zero | tail", timeout=180)
    assert code != 0
    assert 'Out of memory' in g.out('dmesg') or 'oom' in g.out('dmesg')
    assert g.poweroff() == 0


@pytest.mark.parametrize('mode', ['seccomp', 'ptrace'])
def test_init_killed(guest, busybox, mode):
    """Somebody kills the host process of init: a panic, as for every end of init."""
    g = guest(f'ubd0r={busybox}', 'mem=64M', f'usermode={mode}').boot()
    for pid, proc in g.host_processes().items():
        if proc.comm == 'uml-guest':
            # The guest ends the spare ones at once when init's is gone.
            hostproc.kill(pid)
    g.sendline('echo')
    g.expect('Kernel panic - not syncing: Attempted to kill init', panic_ok=True)
    assert g.wait_exit() != 0
