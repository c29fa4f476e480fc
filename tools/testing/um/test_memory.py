# SPDX-License-Identifier: GPL-2.0
"""Memory: what it costs the host, and what happens when the host has too little.

Promise: memory that the guest does not use is the host's; a host that is full,
a cgroup's limit and the limits of a process become the guest's errors.
"""

import os
import re
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness import hostproc, images, weaken
from harness.cgroup import limited
from harness.paths import KERNEL
from harness.tap import Tap

MIB = 1 << 20


def memory_file(g):
    """Bytes that the host has given to the guest's memory."""
    folder = Path(f'/proc/{g.pid}/fd')
    for fd in folder.iterdir():
        target = os.readlink(fd)
        # A memfd, or a file without a name on the tmpfs of TMPDIR.
        if 'um-memory' in target or re.search(r'/(#\d+|vm_file-\w+) \(deleted\)$', target):
            return os.stat(fd).st_blocks * 512
    raise AssertionError('no memory file')


def wait_until(condition, seconds=120):
    """Wait for something; False if it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def room(mib):
    """Skip if the host has not so much memory to spare."""
    text = Path('/proc/meminfo').read_text(encoding='ascii')
    if int(re.search(r'^MemAvailable: +(\d+)', text, re.M).group(1)) < (mib + 512) * 1024:
        pytest.skip(f'the host has no {mib} MiB to spare')


def hog(g, mib):
    """Use memory until the next line is sent; returns once all is touched."""
    g.sendline(f'/tests/hog {mib}; echo HOG-E''XIT-$?')
    g.expect('HOG-READY')


def end_hog(g):
    """Let it check its memory and go."""
    g.sendline('')
    g.expect('HOG-OK')
    g.expect('HOG-EXIT-0')


def meminfo(g, word):
    """A line of the guest's /proc/meminfo in bytes."""
    return int(g.out(f"awk '/^{word}:/{{print $2}}' /proc/meminfo")) * 1024


@pytest.mark.parametrize('where', ['memfd', 'tmpfs'])
def test_given_back(guest, image, tmpfs, where):
    """What was used and freed is the host's again, and can be used again."""
    env = {'TMPDIR': tmpfs('2G')} if where == 'tmpfs' else {}
    g = guest(f'ubd0={image}', 'mem=1G', env=env).boot()
    for _ in range(2):
        hog(g, 700)
        assert memory_file(g) > 700 * MIB
        end_hog(g)
        assert wait_until(lambda: memory_file(g) < 150 * MIB), \
            f'{memory_file(g) // MIB} MiB are kept'
    assert g.poweroff() == 0


def test_kept(guest, image):
    """Not with free_memory=keep."""
    g = guest(f'ubd0={image}', 'mem=1G', 'free_memory=keep').boot()
    hog(g, 400)
    end_hog(g)
    time.sleep(10)
    assert memory_file(g) > 400 * MIB
    assert g.poweroff() == 0


@pytest.mark.long
def test_given_back_2g(guest, image):
    """Two GiB within seconds."""
    g = guest(f'ubd0={image}', 'mem=3G').boot()
    hog(g, 2048)
    end_hog(g)
    start = time.monotonic()
    assert wait_until(lambda: memory_file(g) < 300 * MIB)
    assert time.monotonic() - start < 60
    assert g.poweroff() == 0


def test_small_at_boot(guest, busybox):
    """A guest of 256 MB at its prompt takes 40 MiB, the page array not counted."""
    g = guest(f'ubd0r={busybox}', 'mem=256M').boot()
    array = 256 * MIB // 4096 * 64
    used = hostproc.pss(g.host_processes()) - array
    assert used < 40 * MIB, f'{used / MIB:.1f} MiB'
    assert g.poweroff() == 0


def test_meminfo(guest, busybox):
    """The figures of /proc/meminfo belong together."""
    g = guest(f'ubd0r={busybox}', 'mem=512M').boot()
    total, free, available = (meminfo(g, w) for w in ('MemTotal', 'MemFree', 'MemAvailable'))
    assert 0.93 * 512 * MIB < total <= 512 * MIB
    assert 0.9 * total < available <= total and free <= total
    hog(g, 200)
    g.send('\x1a')	# to the background, stopped
    g.expect('Stopped')
    assert free - meminfo(g, 'MemFree') > 190 * MIB
    assert meminfo(g, 'AnonPages') > 200 * MIB
    g.run('kill -9 %1; wait')
    assert meminfo(g, 'AnonPages') < 100 * MIB
    assert g.poweroff() == 0


def huge_kb(g):
    """How much of guest memory the host maps by huge entries, in kB."""
    smaps = Path(f'/proc/{g.pid}/smaps').read_text()
    return sum(int(kb) for kb in re.findall(r'ShmemPmdMapped:\s+(\d+) kB', smaps))


def test_huge_memory(guest, busybox, tmpfs):
    """Huge pages of the host, where a tmpfs has them."""
    g = guest(f'ubd0r={busybox}', 'mem=256M', 'huge_memory=yes',
              env={'TMPDIR': str(tmpfs('600M,huge=advise'))}).boot()
    assert huge_kb(g) >= 2048
    assert 'no huge pages' not in g.tail(500)
    hog(g, 60)
    assert huge_kb(g) > 40 * 1024
    end_hog(g)
    assert g.poweroff() == 0


def test_no_huge_memory(guest, busybox, tmpfs):
    """And where it has not, a message says so, and the guest boots."""
    g = guest(f'ubd0r={busybox}', 'mem=128M', 'huge_memory=yes',
              env={'TMPDIR': str(tmpfs('300M,huge=never'))}).boot()
    assert 'the host gives no huge pages' in g.tail(500)
    assert not huge_kb(g)
    assert g.poweroff() == 0


def test_full_host(guest, image, tmpfs):
    """A host without room: the guest's own OOM killer acts, then all comes back."""
    g = guest(f'ubd0={image}', 'mem=512M', env={'TMPDIR': tmpfs('160M')}).boot()
    total = meminfo(g, 'MemTotal')
    g.sendline('/tests/hog 300; echo HOG-E''XIT-$?')
    g.expect('HOG-EXIT-137')
    assert wait_until(lambda: 'no room for all of the guest' in g.run('dmesg')[1], 20)
    assert meminfo(g, 'MemTotal') < total
    # What fits goes on as if nothing had happened.
    hog(g, 60)
    end_hog(g)
    assert g.run('/tests/signals > /dev/null')[0] == 0
    tmpfs('700M')
    assert wait_until(lambda: meminfo(g, 'MemTotal') == total)
    hog(g, 300)
    end_hog(g)
    text = g.out('dmesg')
    assert 'room for the guest\'s memory again' in text
    for word in ('BUG:', 'Oops', 'bad page', 'Bad page', 'WARNING:'):
        assert word not in text, text[-3000:]
    assert g.poweroff() == 0


@pytest.fixture
def cgroup():
    """Start a command in a memory cgroup: cgroup(bytes) is words for /bin/sh."""
    with ExitStack() as stack:
        def make(limit):
            words = stack.enter_context(limited('memory', limit))
            if not words:
                pytest.skip('cannot make a memory cgroup here')
            return words
        yield make


def test_cgroup(cgroup, guest, image):
    """In a memory cgroup the guest has less than the limit, and stays below it."""
    g = guest(*cgroup(200 * MIB), KERNEL, f'ubd0={image}', 'mem=1G', raw=True,
              kernel='/bin/sh').boot()
    assert 'instead of 1024 MiB' in g.run('dmesg')[1]
    assert meminfo(g, 'MemTotal') < 190 * MIB
    g.sendline('/tests/hog 400; echo HOG-E''XIT-$?')
    g.expect('HOG-EXIT-137')
    assert 'Out of memory: Killed process' in g.run('dmesg')[1]
    assert g.out('echo $((6 * 7))') == '42'
    assert g.poweroff() == 0


def test_cgroup_too_small(image, cgroup):
    """One clear line if nothing is left for a guest."""
    done = subprocess.run(['/bin/sh', *cgroup(30 * MIB), KERNEL, f'ubd0={image}'],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r'linux: .*memory.max\n', done.stderr), done.stderr


def test_no_cgroup(guest, busybox):
    """Without a limit mem= is what was asked for."""
    g = guest(f'ubd0r={busybox}', 'mem=256M').boot()
    assert 'instead of' not in g.run('dmesg')[1]
    assert g.poweroff() == 0


@pytest.fixture
def swapped(guest, image, tmp_path):
    """A small guest with swap on a ubd."""
    def start(mode):
        disk = images.blank(tmp_path / 'swap', '512M')
        g = guest(f'ubd0={image}', f'ubd1={disk}', 'mem=96M', f'usermode={mode}').boot()
        g.out('mkswap /dev/ubdb && swapon /dev/ubdb')
        return g
    return start


@pytest.mark.parametrize('mode', ['seccomp', 'ptrace'])
def test_swap(swapped, mode):
    """Swap on a ubd: programs larger than memory find their pages."""
    g = swapped(mode)
    assert 'ubdb' in g.out('cat /proc/swaps')
    code, text = g.run('/tests/hog 160 1', timeout=600)
    assert code == 0 and 'HOG-OK' in text, text
    code, text = g.run('/tests/storm --seconds 5 & /tests/hog 70 2 & wait %1; a=$?; wait %2; '
                       'b=$?; (exit $((a + b)))', timeout=900)
    assert code == 0 and 'HOG-OK' in text, text
    assert int(g.out("awk '/^pswpin/{print $2}' /proc/vmstat")) > 1000
    g.out('swapoff /dev/ubdb')
    assert meminfo(g, 'SwapTotal') == 0
    assert g.poweroff() == 0


@pytest.mark.long
@pytest.mark.parametrize('mode', ['seccomp', 'ptrace'])
def test_swap_storm(swapped, mode):
    """Storms of fork, copy-on-write, mprotect, mremap, all beyond memory, for minutes."""
    g = swapped(mode)
    code, text = g.run('/tests/storm --seconds 180 --workers 8 & /tests/hog 70 20 & '
                       '/tests/hog 40 20 & wait %1; a=$?; wait %2; b=$?; wait %3; '
                       'c=$?; (exit $((a + b + c)))', timeout=3000)
    assert code == 0 and text.count('HOG-OK') == 2, text
    assert g.poweroff() == 0


@pytest.mark.parametrize('mode, pieces, mib', [
    ('seccomp', 70000, 270),
    pytest.param('ptrace', 70000, 270, marks=pytest.mark.long),
    pytest.param('seccomp', 300000, 4096, marks=pytest.mark.long),
    pytest.param('ptrace', 300000, 4096, marks=pytest.mark.long),
])
def test_budget(guest, image, mode, pieces, mib):
    """More pieces of memory than the host grants mappings to a process."""
    room(mib + 512)
    g = guest(f'ubd0={image}', f'mem={mib + 512}M', f'usermode={mode}').boot()
    g.out('echo 500000 > /proc/sys/vm/max_map_count')
    code, text = g.run(f'/tests/budget --pieces {pieces} --mib {mib}', timeout=3000)
    Tap(text).check()
    assert code == 0 and f'{pieces} mappings' in text
    assert g.poweroff() == 0


@pytest.mark.parametrize('mode', ['seccomp', 'ptrace'])
@pytest.mark.parametrize('mib', [256, pytest.param(2048, marks=pytest.mark.long)])
def test_big_fork(guest, image, mode, mib):
    """A process with ten thousand mappings forks: right, and in proportion."""
    room(2 * mib)
    g = guest(f'ubd0={image}', f'mem={2 * mib + 256}M', f'usermode={mode}').boot()
    g.out('mount -t debugfs none /sys/kernel/debug')
    code, text = g.run(f'/tests/bigfork --mappings 10000 --mib {mib}', timeout=900)
    Tap(text).check()
    assert code == 0 and 'SKIP' not in text, text
    assert g.poweroff() == 0


def mappings(g):
    """Host mappings of the kernel process."""
    return len(Path(f'/proc/{g.pid}/maps').read_text(encoding='utf-8').splitlines())


def test_many_tasks(guest, image):
    """Ten thousand tasks: the kernel process stays within its mappings."""
    g = guest(f'ubd0={image}', 'mem=2G').boot()
    g.out('echo 30000 > /proc/sys/kernel/threads-max')
    before = mappings(g)
    g.sendline('/tests/crowd 10000; echo CROWD-E''XIT-$?')
    g.expect('CROWD-READY', timeout=600)
    now = mappings(g)
    assert now - before < 12000, f'{now - before} more mappings'
    g.sendline('')
    g.expect('CROWD-EXIT-0', timeout=600)
    assert g.run('true')[0] == 0
    assert g.poweroff() == 0


def checked(text):
    """The last line of the TLB checker as a dictionary of numbers."""
    words = re.findall(r'^spaces .*$', text, re.M)[-1].split()
    return dict(zip(words[::2], map(int, words[1::2])))


def watched(g, command, timeout=900):
    """Run a command that does random things to memory, with the TLB checker at work."""
    g.out('mkdir -p /tmp/debug; mount -t debugfs none /tmp/debug')
    g.out(f'({command}; echo $? > /tmp/code) > /tmp/storm 2>&1 & true')
    rounds, end = 0, time.monotonic() + timeout
    while g.run('test -e /tmp/code')[0]:
        text = g.out('cat /tmp/debug/um/tlb_check', timeout=300)
        found = checked(text)
        assert not found['wrong'] and not found['unreadable'], text
        assert found['spaces'] >= 2 and found['pages'] > 50, text
        assert time.monotonic() < end, g.run('ps; tail /tmp/storm')[1]
        rounds += 1
    assert rounds > 2
    text = g.out('cat /tmp/storm')
    assert g.out('cat /tmp/code') == '0', text
    return text


STORMS = [
    pytest.param('storm --seconds 8', id='storm'),
    pytest.param('storm --seconds 180', id='storm-long', marks=pytest.mark.long),
    pytest.param('mapmodel --ops 250', id='mapmodel'),
    pytest.param('mapmodel --ops 4000 --workers 3', id='mapmodel-long', marks=pytest.mark.long),
]


@pytest.mark.parametrize('mode', ['seccomp', 'ptrace'])
@pytest.mark.parametrize('command', STORMS)
def test_nothing_stale(guest, image, mode, command):
    """In a storm nothing is mapped on the host that the guest's tables don't allow."""
    g = guest(f'ubd0={image}', 'mem=256M', f'usermode={mode}').boot()
    watched(g, f'/tests/{command}')
    assert g.poweroff() == 0


@pytest.mark.parametrize('mode', ['seccomp', 'ptrace'])
@pytest.mark.parametrize('ops', [250, pytest.param(4000, marks=pytest.mark.long)])
def test_nothing_stale_swapped(swapped, mode, ops):
    """... nor while memory comes from and goes to swap all the time, and all keeps its value."""
    g = swapped(mode)
    text = watched(g, '(while ! test -e /tmp/over; do /tests/hog 90 2; done) & '
                      f'/tests/mapmodel --ops {ops}; code=$?; touch /tmp/over; wait; (exit $code)',
                   3000)
    assert 'HOG-OK' in text and 'HOG-BAD' not in text, text
    assert int(g.out("awk '/^pswpin/{print $2}' /proc/vmstat")) > 1000
    assert g.poweroff() == 0


@pytest.mark.parametrize('mode', ['seccomp', 'ptrace'])
def test_stale_is_found(guest, busybox, tmp_path, mode):
    """The checker sees what is left if flushes are forgotten, and nothing if not."""
    weak = weaken.patched(KERNEL, tmp_path / 'linux', 'um_tlb_flush', None, b'\xc3')
    for kernel, wrong in ((KERNEL, False), (weak, True)):
        g = guest(f'ubd0r={busybox}', 'mem=64M', 'init=/tests/stale', f'usermode={mode}',
                  kernel=kernel)
        g.expect('STALE-END')
        found = checked(g.text_before())
        assert found['spaces'] == 1 and not found['unreadable']
        assert (found['wrong'] > 0) == wrong, g.tail()
        g.wait_exit()
