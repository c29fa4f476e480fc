# SPDX-License-Identifier: GPL-2.0
"""What a disk is safe from: the end of its machine, other machines, its own guest."""

import hashlib
import signal
import time

import pytest

from harness import images
from harness.disk import ENGINES


@pytest.mark.parametrize('engine', ENGINES)
def test_kill(guest, image, tmp_path, engine):
    """SIGKILL in the middle of writes: the journal is enough, what was synced is there."""
    disk = images.blank(tmp_path / 'disk', '64M', 'ext4')
    args = [f'ubd0={image}', f'ubdb={disk}', f'ubd_engine={engine}', 'mem=64M']
    for _ in range(3):
        g = guest(*args).boot()
        g.out('mount /dev/ubdb /mnt && rm -rf /mnt/d && mkdir /mnt/d')
        g.sendline('i=0; while :; do i=$((i+1)); head -c 20000 /dev/urandom > /mnt/d/$i; '
                   'md5sum /mnt/d/$i > /mnt/d/$i.sum; sync; echo ""kept $i; rm -f /mnt/d/$((i-20)); '
                   'done')
        g.expect(r'kept 25\b')
        time.sleep(0.03)
        g.signal(signal.SIGKILL)
        g.wait_exit()
        g = guest(*args).boot()
        g.out('mount /dev/ubdb /mnt')
        for i in range(6, 26):
            assert g.run(f'md5sum -c /mnt/d/{i}.sum || test ! -e /mnt/d/{i}')[0] == 0
        assert g.run('md5sum -c /mnt/d/25.sum')[0] == 0
        g.out('umount /mnt')
        assert g.poweroff() == 0
        code, text = images.fsck(disk)
        assert code == 0, text


def test_lock(guest, image, busybox):
    """Who has an image has it alone; readers share; the lock dies with its holder."""
    one = guest(f'ubd0={image}', 'mem=64M').boot()
    for word in (f'ubdb={image}', f'ubdbr={image}'):
        two = guest(f'ubd0r={busybox}', word, 'mem=64M').boot()
        log = two.out('dmesg')
        assert f"Failed to lock '{image}', err = 11" in log
        assert two.run('test -e /dev/ubdb')[0] != 0
        assert two.poweroff() == 0
    three = guest(f'ubd0r={busybox}', f'ubdbrc={image}', 'mem=64M').boot()
    three.out('test -e /dev/ubdb')
    assert three.poweroff() == 0
    one.signal(signal.SIGKILL)
    one.wait_exit()
    four = guest(f'ubd0={image}', 'mem=64M').boot()
    assert four.poweroff() == 0
    readers = [guest(f'ubd0r={image}', 'mem=64M').boot() for _ in range(2)]
    for g in readers:
        assert g.poweroff() == 0


def test_same_file_twice(guest, image, tmp_path):
    """The same file for two disks of one machine is noticed, unless it is meant."""
    file = images.blank(tmp_path / 'twice', '1M')
    g = guest(f'ubd0={image}', f'ubd1={file}', f'ubd2={file}', f'ubd3c={file}', 'mem=64M').boot()
    assert f'"{file}": errno = 16 (this machine uses it already, as another disk)' in \
        g.out('dmesg')
    assert g.run('test -e /dev/ubdc')[0] != 0
    g.out('test -e /dev/ubdd')
    assert g.poweroff() == 0


@pytest.mark.parametrize('engine', ENGINES)
def test_no_cow_magic(guest, image, tmp_path, engine):
    """A guest can't turn its plain disk into a COW file over a file of its choice."""
    disk, plain = images.blank(tmp_path / 'disk', '1M'), images.blank(tmp_path / 'plain', '1M')
    g = guest(f'ubd0={image}', f'ubd1={disk}', f'ubd2d={plain}', f'ubd_engine={engine}',
              'mem=64M').boot()
    for magic in ('OOOM', 'MOOO'):
        g.out(f'(printf {magic}; head -c 131068 /dev/urandom) > /tmp/evil')
        for how in ('bs=512 count=1', 'bs=512 count=1 oflag=direct', 'bs=128k oflag=direct',
                    'bs=4k', 'bs=128k'):
            assert g.run(f'dd if=/tmp/evil of=/dev/ubdb conv=notrunc,fsync {how}')[0] != 0, how
            assert disk.read_bytes()[:4] == bytes(4)
    assert 'ubdb: a write was refused' in g.out('dmesg')
    # The flag d allows it, and what is no magic number arrives as before.
    g.out('dd if=/tmp/evil of=/dev/ubdc conv=notrunc,fsync 2>/dev/null')
    assert plain.read_bytes()[:4] == b'MOOO'
    for how in ('bs=512', 'bs=128k oflag=direct', 'bs=128k'):
        g.out(f'head -c 131072 /dev/urandom > /tmp/good; dd if=/tmp/good of=/dev/ubdb '
              f'conv=notrunc,fsync {how} 2>/dev/null')
        assert g.out('md5sum < /tmp/good').split()[0] == \
            hashlib.md5(disk.read_bytes()[:131072]).hexdigest()
    assert g.poweroff() == 0
