# SPDX-License-Identifier: GPL-2.0
"""Services of the kernel that need the architecture: clock, random, modules."""

import re
import shutil
import subprocess
import time

import pytest

from harness.paths import BUILD, TOP


def test_clock(shell):
    """The guest's clock is the host's."""
    before = time.time()
    guest = int(shell.out('date +%s'))
    assert before - 2 <= guest <= time.time() + 2


def test_clock_runs(shell):
    """Five seconds are five seconds."""
    start = time.monotonic()
    took = shell.out('s=$(cut -d. -f1 /proc/uptime); sleep 5; '
                     'e=$(cut -d. -f1 /proc/uptime); echo $((e - s))')
    host = time.monotonic() - start
    assert 4 <= int(took) <= host + 1


def test_random(shell):
    """The kernel is seeded at boot: getrandom does not block."""
    assert len(shell.out('head -c 32 /dev/random | md5sum', timeout=20)) > 32
    assert 'crng init done' in shell.out('dmesg') or \
        int(shell.out('cat /proc/sys/kernel/random/entropy_avail')) >= 256


def test_random_differs(guest, busybox):
    """Two boots don't give the same bytes."""
    seen = set()
    for _ in range(2):
        g = guest(f'ubd0r={busybox}', 'mem=64M').boot()
        seen.add(g.out('head -c 16 /dev/urandom | md5sum'))
        assert g.poweroff() == 0
    assert len(seen) == 2


def test_proc_files(shell):
    """Reading all of /proc and /sys breaks nothing."""
    shell.run('dmesg -c > /dev/null')
    # Many files by one process; none of them must keep it for ever.
    text = shell.out('find /proc /sys -type f ! -name kmsg ! -name kcore ! -name trace_pipe '
                     '! -name clear_refs ! -path "/proc/[0-9]*/task/*" -exec sh -c '
                     '\'timeout 60 head -q -c 65536 "$@" > /dev/null 2>&1; '
                     '[ $? -lt 124 ] || echo stuck: "$@"\' sh {} + 2> /dev/null; true',
                     timeout=300)
    assert 'stuck: ' not in text, text
    text = shell.out('dmesg')
    for word in ('WARNING:', 'BUG:', 'Oops'):
        assert word not in text, text[text.find(word):][:1500]


def test_maps(shell):
    """/proc/PID/maps of a process looks as it should."""
    text = shell.out('cat /proc/1/maps')
    for name in ('[stack]', '[vdso]'):
        assert name in text
    tops = [int(line.split('-')[1].split()[0], 16) for line in text.splitlines()
            if 'vsyscall' not in line]
    assert max(tops) <= 0x7ffffffff000


def test_kernel_log_survives_faults(shell):
    """A faulting program is logged and nothing else happens."""
    code, _ = shell.run('/tests/faults > /dev/null')
    assert code == 0
    assert shell.out('echo fine') == 'fine'


@pytest.fixture(scope='module')
def modules(tmp_path_factory):
    """make modules_install of the kernel under test."""
    if not (BUILD / 'out' / 'modules.order').exists():
        pytest.skip('no modules were built: make modules')
    folder = tmp_path_factory.mktemp('modules')
    subprocess.run(['make', '-C', TOP, '-s', 'modules_install',
                    f'INSTALL_MOD_PATH={folder}'], check=True,
                   stdout=subprocess.DEVNULL)
    return folder


def _with_modules(guest, image, modules, tmp_path):
    disk = tmp_path / 'modules.img'
    subprocess.run(['truncate', '-s', '512M', disk], check=True)
    tree = tmp_path / 'tree'
    shutil.copytree(modules / 'lib' / 'modules', tree / 'modules', symlinks=True,
                    ignore=shutil.ignore_patterns('build', 'source'))
    subprocess.run(['/sbin/mke2fs', '-q', '-t', 'ext4', '-F', '-d', tree, disk], check=True)
    g = guest(f'ubd0={image}', f'ubd1={disk}', 'mem=256M').boot()
    g.out('mount /dev/ubdb /mnt && mount -o bind /mnt/modules /lib/modules')
    return g


def test_modules(guest, image, modules, tmp_path):
    """Every module loads and unloads again; modprobe finds dependencies."""
    g = _with_modules(guest, image, modules, tmp_path)
    names = [re.sub(r'.*/|\.ko.*', '', line) for line in
             (BUILD / 'out' / 'modules.order').read_text().split()]
    names = [n.removesuffix('.o') for n in names]
    assert names
    bad = []
    for name in names:
        code, text = g.run(f'modprobe {name} 2>&1', timeout=60)
        if code:
            bad.append(f'{name}: {text.strip()}')
        g.run(f'modprobe -r {name} 2>/dev/null')
    log = g.out('dmesg')
    for word in ('WARNING:', 'BUG:', 'Oops'):
        assert word not in log, log[log.find(word):][:2000]
    # Some modules refuse a machine without their hardware: that is an answer.
    bad = [b for b in bad if not re.search(r'No such device|not supported|'
                                           r'No such file or directory$', b)]
    assert not bad, '\n'.join(bad)
    assert g.poweroff() == 0
