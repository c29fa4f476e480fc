# SPDX-License-Identifier: GPL-2.0
"""hostfs: hosts that don't do as one likes.

Promise: a server that is dead, few descriptors and a full disk are errors of those who meet
them; others go on, and what is made stays.
"""

import ctypes
import os
import subprocess
import time
from pathlib import Path

import pytest

from harness.hostfs import Share, storm
from harness.paths import KERNEL


@pytest.fixture
def deaf(tmp_path):
    """A directory, share/deaf, of a FUSE server that never answers."""
    if os.getuid() or not os.path.exists('/dev/fuse'):
        pytest.skip('needs root and FUSE')
    (tmp_path / 'share').mkdir()
    where = tmp_path / 'share' / 'deaf'
    where.mkdir()
    fd = os.open('/dev/fuse', os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f'fd={fd},rootmode=40000,user_id=0,group_id=0'.encode()
    if libc.mount(b'deaf', os.fsencode(where), b'fuse', 0, options):
        os.close(fd)
        pytest.skip(f'cannot mount FUSE: {os.strerror(ctypes.get_errno())}')
    closed = []

    def end():
        """Who waits is told that the server is gone."""
        if not closed:
            closed.append(os.close(fd))

    yield end
    end()
    subprocess.run(['umount', '-l', where], check=False)


@pytest.mark.parametrize('options', ['', 'calls=threads', 'mapped', 'cache=loose'])
def test_deaf_server(deaf, share, options):
    """A server that never answers: many who ask it wait, the others go on."""
    s = share(options)
    g = s.guest
    s.path('file').write_text('x', encoding='ascii')
    s.path('dir').mkdir()
    g.out('for i in $(seq 100); do (ls /mnt/deaf/$i > /tmp/ls 2>&1; echo ended >> /tmp/ls) & done;'
          ' true')
    g.out('mkdir /tmp/m; (mount -t hostfs none /tmp/m -o /deaf; echo ended >> /tmp/m.log) & true')
    time.sleep(1)
    for i in range(5):
        assert g.out('cat /mnt/file; echo /mnt/*') == 'x/mnt/deaf /mnt/dir /mnt/file'
        g.out(f'dd if=/dev/zero of=/mnt/dir/{i} bs=64k count=40 conv=fsync; sync /mnt/dir/{i};'
              f' cat /mnt/dir/{i} > /dev/null; find /mnt/dir | wc -l; rm /mnt/dir/{i}')
    assert 'ended' not in g.out('cat /tmp/ls; cat /tmp/m.log 2>/dev/null; true')
    deaf()
    g.out('wait')
    assert 'ended' in g.out('cat /tmp/ls')
    g.out('rmdir /mnt/dir')
    s.end()


def test_few_descriptors(image, tmp_path):
    """With 64 descriptors the guest still walks 3000 directories and keeps 20 files open."""
    (tmp_path / 'share').mkdir()
    for i in range(3000):
        (tmp_path / 'share' / f'd{i}' / 'sub').mkdir(parents=True)
    s = Share(image, tmp_path, raw=True, kernel='/usr/bin/prlimit', prefix=['--nofile=64:64', KERNEL],
              name='hostfs-few')
    try:
        g = s.guest
        assert g.out('find /mnt -type d | wc -l', timeout=100) == '6001'
        g.out('find /mnt -type d -exec chmod 700 {} +', timeout=100)
        text = g.out('sh -c \'cd /mnt/d7/sub; for i in $(seq 10 25); do eval "exec $i>f$i"; done;'
                     ' find /mnt -name "f1*" > /dev/null; pwd; ls | wc -l\'', timeout=100)
        assert text.split() == ['/mnt/d7/sub', '16']
        # More than there are: some fail, and nothing else does.
        code, text = g.run('for i in $(seq 80); do sleep 100 < /mnt/d$i/sub & done; true',
                           timeout=100)
        assert code == 0 and 'Too many open files' in text
        g.run('kill $(jobs -p); wait')  # also those that are no sleep yet
        assert g.out('ls /mnt | wc -l') == '3000'
        s.end()
    finally:
        s.guest.close(check=False)


@pytest.fixture
def few(share):
    """few(n, options): a share of a kernel that may have n descriptors."""
    return lambda n, options='': share(options, prefix=[f'--nofile={n}:{n}', KERNEL], raw=True,
                                       kernel='/usr/bin/prlimit')


@pytest.mark.parametrize('options', ['', 'mapped'])
def test_unopened_files(few, options):
    """Files that are made and never opened, or lose a name while open, keep no descriptors."""
    s = few(256, options)
    fds = Path(f'/proc/{s.guest.pid}/fd')
    before = len(list(fds.iterdir()))
    s.guest.out('/tests/unopened /mnt 500', timeout=60)
    assert len(list(s.dir.iterdir())) == 1000
    assert len(list(fds.iterdir())) < before + 100
    s.end()


@pytest.mark.parametrize('options', ['', 'mapped', 'calls=threads'])
def test_no_descriptors(few, options):
    """When there are none left what is made is there, and what is not made is not."""
    s = few(80, options)
    code, text = s.guest.run('/tests/nofiles /mnt', timeout=60)
    assert code == 0, text
    assert s.guest.out('rm -rf /mnt/*; ls /mnt') == ''
    s.end()


@pytest.mark.parametrize('options', ['', 'mapped,calls=threads'])
def test_storm_few_descriptors(few, options):
    """Everything at once while descriptors come and go."""
    s = few(100, options)
    if options:
        # Both sides see other modes and types then.
        code, text = s.guest.run('/tests/fstorm /mnt --ops 3000 --seed 5', timeout=600)
        assert code == 0, text
    else:
        storm(s, 3000, 5)
    s.end()


def test_full_disk(image, tmpfs, tmp_path):
    """The host's file system is full: an error of write, fsync or close."""
    tmpfs('1m', 'share')
    s = Share(image, tmp_path, name='hostfs-full')
    try:
        g = s.guest
        assert g.run('dd if=/dev/zero of=/mnt/big bs=64k count=64 conv=fsync')[0] != 0
        assert g.run('cp /bin/busybox /mnt/a && cp /bin/busybox /mnt/b')[0] != 0
        g.out('rm /mnt/*; echo fits > /mnt/small')
        assert s.path('small').read_text(encoding='ascii') == 'fits\n'
        s.end()
    finally:
        s.guest.close(check=False)
