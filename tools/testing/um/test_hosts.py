# SPDX-License-Identifier: GPL-2.0
"""Hosts as users have them: no rights, one CPU, limits, tracers, containers.

Promise: the best mode that works there, or one clear error; never a hang.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from harness import cgroup, deny, images
from harness.paths import KERNEL

NOBODY = 65533


@pytest.fixture
def place(busybox):
    """A folder with an image for somebody without rights."""
    folder = Path(tempfile.mkdtemp(prefix='umt-host-'))
    folder.chmod(0o777)
    for name in ('home', 'tmp'):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
    image = Path(images.copy(busybox, folder / 'root.img'))
    image.chmod(0o666)
    yield folder
    shutil.rmtree(folder)


def work(g):
    """Some of what an ordinary guest does."""
    assert g.run('ls -lR /bin > /dev/null; for i in 1 2 3 4 5; do sh -c true; done; '
                 '/tests/signals > /dev/null', timeout=600)[0] == 0


@pytest.mark.parametrize('mode', ['seccomp', 'ptrace'])
def test_ordinary_user(guest, place, mode):
    """No user id but an own one, no capability, none to be had."""
    g = guest(f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups',
              '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs', KERNEL,
              f'ubd0={place}/root.img', 'mem=256M', f'usermode={mode}', raw=True,
              kernel='/usr/bin/setpriv',
              env={'HOME': place / 'home', 'TMPDIR': place / 'tmp'}).boot()
    assert f'running in {mode} mode' in g.run('dmesg')[1]
    work(g)
    assert g.poweroff() == 0


def limited(guest, place, user, limit, *args):
    """A guest of a user of its own, since its limits count all that user has."""
    return guest(f'--reuid={user}', f'--regid={user}', '--clear-groups', '/usr/bin/prlimit',
                 limit, KERNEL, f'ubd0={place}/root.img', 'mem=256M', *args, raw=True,
                 kernel='/usr/bin/setpriv',
                 env={'HOME': place / 'home', 'TMPDIR': place / 'tmp'})


def test_unwritable_disk(guest, place):
    """Files that the user may only read (chmod -w) are read-only disks, and it is said."""
    image = place / 'root.img'
    image.chmod(0o444)
    back = images.blank(place / 'back', '1M')
    back.chmod(0o444)
    g = limited(guest, place, NOBODY, '--nproc=500', f'ubd1={place}/tmp/cow,{back}',
                f'ubd2={back}').boot()
    log = g.out('dmesg')
    assert f'ubda: "{image}" can\'t be written; the disk is read-only' in log
    assert g.out('for d in a b c; do blockdev --getro /dev/ubd$d; done').split() == ['1', '0', '1']
    # A COW file over such a file is as good as any.
    g.out('dd if=/dev/zero of=/dev/ubdb bs=64k count=1 conv=fsync 2>/dev/null')
    assert g.poweroff() == 0


def test_process_limit(guest, place):
    """RLIMIT_NPROC of the host is an error of fork() in the guest."""
    g = limited(guest, place, NOBODY, '--nproc=60').boot()
    text = g.run("sh -c 'i=0; while [ $i -lt 60 ]; do sleep 100 & i=$((i+1)); done'; true",
                 timeout=300)[1]
    assert 'Cannot allocate memory' in text or 'Resource temporarily' in text, text
    g.run('killall sleep; while pidof sleep; do sleep 0.1; done', timeout=300)
    work(g)
    assert g.poweroff() == 0


@pytest.mark.xdist_group('bomb')
@pytest.mark.parametrize('mode, limit', [
    ('seccomp', '--nproc=80'), ('ptrace', '--nproc=80'), ('seccomp', '--nofile=40'),
])
def test_fork_bomb(guest, place, mode, limit):
    """A guest user takes all that the host gives; root's shell lives on and ends it."""
    g = limited(guest, place, NOBODY - 1, limit, f'usermode={mode}').boot()
    g.put('/tmp/bomb', '#!/bin/sh\nwhile :; do /tmp/bomb & done\n')
    g.out('chmod 755 /tmp/bomb')
    g.run("su user -c '(ulimit -u 300; /tmp/bomb) > /dev/null 2>&1 &'")
    end = time.monotonic() + 60
    while len(g.host_processes()) < 70:
        assert time.monotonic() < end, 'no bomb'
    # Nothing but what the shell does itself: there may be no process for more.
    for _ in range(10):
        assert g.run('echo alive', timeout=300)[1].strip() == 'alive'
    # Sixteen may be in the pool.
    while len(g.host_processes()) > 40:
        assert time.monotonic() < end + 120, 'they do not go'
        g.run('kill -9 -1', timeout=300)
    work(g)
    assert not re.search('BUG:|WARNING:|Oops', g.run('dmesg')[1])
    assert g.poweroff() == 0


def test_process_limit_of_cgroup(guest, place):
    """So is pids.max of a cgroup."""
    with cgroup.limited('pids', 70) as words:
        if not words:
            pytest.skip('cannot make a pids cgroup here')
        g = guest(*words, KERNEL, f'ubd0={place}/root.img', 'mem=256M', raw=True,
                  kernel='/bin/sh').boot()
        text = g.run("sh -c 'i=0; while [ $i -lt 60 ]; do sleep 100 & i=$((i+1)); done'; true",
                     timeout=300)[1]
        assert 'Cannot allocate memory' in text or 'Resource temporarily' in text, text
        g.run('killall sleep; while pidof sleep; do sleep 0.1; done', timeout=300)
        work(g)
        assert not re.search('BUG:|WARNING:|Oops|Call Trace', g.run('dmesg')[1])
        assert g.poweroff() == 0


def test_one_cpu(guest, image):
    """Pinned to one CPU all works."""
    cpu = min(os.sched_getaffinity(0))
    g = guest('-c', cpu, KERNEL, f'ubd0={image}', 'mem=256M', raw=True,
              kernel='/usr/bin/taskset').boot()
    work(g)
    assert g.poweroff() == 0


@pytest.mark.parametrize('mode', ['seccomp', 'ptrace'])
def test_strace(guest, image, tmp_path, mode):
    """`strace -f ./linux` sees the kernel process and does not disturb."""
    if not shutil.which('strace'):
        pytest.skip('strace is not installed')
    log = tmp_path / 'strace.log'
    g = guest('-f', '-qq', '-o', log, KERNEL, f'ubd0={image}', 'mem=256M', f'usermode={mode}',
              raw=True, kernel='/usr/bin/strace').boot(timeout=300)
    assert g.run('ls -l / > /dev/null && sh -c true', timeout=300)[0] == 0
    assert g.poweroff() == 0
    assert log.stat().st_size > 1000


def test_debugger(guest, image):
    """A debugger attaches to the running kernel, looks, and goes."""
    if not shutil.which('gdb'):
        pytest.skip('gdb is not installed')
    g = guest(f'ubd0={image}', 'mem=256M').boot()
    for _ in range(3):
        done = subprocess.run(['gdb', '-p', str(g.pid), '-batch', '-nx', '-ex', 'bt'],
                              capture_output=True, text=True, timeout=300, check=False)
        assert '#0' in done.stdout, done.stderr
        work(g)
    assert g.poweroff() == 0


def refusing(guest, names, *args):
    """A guest on a host that refuses these system calls."""
    return guest(deny.__file__, ','.join(names), KERNEL, *args, raw=True,
                 kernel=sys.executable)


def test_no_seccomp(guest, image):
    """Then it is ptrace, and the boot log says why."""
    g = refusing(guest, ['seccomp'], f'ubd0={image}', 'mem=256M').boot()
    log = g.run('dmesg')[1]
    assert 'running in ptrace mode' in log and 'seccomp mode does not work here' in log
    work(g)
    assert g.poweroff() == 0


def test_no_affinity(guest, image):
    """Who may not choose CPUs has them chosen by the host."""
    g = refusing(guest, ['sched_setaffinity'], f'ubd0={image}', 'mem=256M',
                 'usermode=seccomp').boot()
    work(g)
    assert g.poweroff() == 0


def cpus_of(pid):
    """Names of the threads of a process, and where they may be."""
    return {int(task.name): ((task / 'comm').read_text().strip(),
                             os.sched_getaffinity(int(task.name)))
            for task in Path(f'/proc/{pid}/task').iterdir()}


def test_cpus(guest, image):
    """Only the vCPU's thread is ever tied to one CPU, also after a reboot."""
    ours = os.sched_getaffinity(0)
    g = guest(f'ubd0={image}', 'mem=256M', 'usermode=seccomp').boot()
    for _ in range(2):
        # The first is enough to be tied, the second has the host make threads.
        assert g.run('for i in 1 2 3 4 5 6 7 8; do sh -c true; done; cat /bin/* | wc -c')[0] == 0
        cpus = cpus_of(g.pid)
        assert len(cpus) > 1
        assert not [both for task, both in cpus.items() if task != g.pid and both[1] != ours]
        g.sendline('reboot')
        g.expect('Linux version')
        g.boot()
    assert g.poweroff() == 0


def test_taskset(guest, image):
    """taskset is obeyed while the guest runs."""
    ours = os.sched_getaffinity(0)
    if len(ours) < 2:
        pytest.skip('there is one CPU')
    g = guest(f'ubd0={image}', 'mem=256M', 'usermode=seccomp').boot()
    for cpu in ours:
        # The CPU that it is tied to at the moment can't be told from that.
        if os.sched_getaffinity(g.pid) != {cpu}:
            os.sched_setaffinity(g.pid, {cpu})
            break
    for _ in range(3):
        assert g.run('for i in 1 2 3 4 5 6 7 8; do sh -c true; done')[0] == 0
        time.sleep(0.1)
    assert os.sched_getaffinity(g.pid) == {cpu}
    assert g.poweroff() == 0


def test_no_ptrace(guest, image):
    """Seccomp mode needs none."""
    g = refusing(guest, ['ptrace'], f'ubd0={image}', 'mem=256M').boot()
    assert 'running in seccomp mode' in g.run('dmesg')[1]
    work(g)
    assert g.poweroff() == 0


@pytest.mark.parametrize('names, option', [
    (['seccomp', 'ptrace'], 'usermode=auto'), (['seccomp'], 'usermode=seccomp'),
    (['ptrace'], 'usermode=ptrace'),
])
def test_nothing_works(image, names, option):
    """One clear line, and an exit code."""
    done = subprocess.run([sys.executable, deny.__file__, ','.join(names), KERNEL,
                           f'ubd0={image}', 'mem=64M', option], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=120, check=False)
    assert done.returncode not in (0, -11, -6), done
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith('linux: '), done.stderr
