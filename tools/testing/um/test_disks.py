# SPDX-License-Identifier: GPL-2.0
"""ubd: names, several disks, partitions, read-only, durability."""

import hashlib
import os
import signal
import subprocess

import pytest

from harness import images


@pytest.mark.parametrize('word', ['ubd0', 'ubda', 'UBD0'])
def test_option_names(guest, image, word):
    """ubd0= and ubda= are the same; another word isn't taken for it."""
    g = guest(f'{word}={image}', 'mem=64M')
    if word == 'UBD0':
        g.expect('Unable to mount root|Cannot open root', panic_ok=True)
        assert g.wait_exit() != 0
        return
    g.boot()
    assert g.poweroff() == 0


@pytest.mark.parametrize('root', ['/dev/ubda', '/dev/ubd0', '/dev/ubd/0', '98:0', '6200'])
def test_root_names(guest, image, root):
    """Every name that users know for the first disk works in root=."""
    g = guest(f'ubd0={image}', 'mem=64M', f'root={root}').boot()
    assert g.out('stat -c %d /') == '25088'	# 98:0
    assert g.poweroff() == 0


def test_device_names(guest, image, tmp_path):
    """The nodes, their numbers and the two other names."""
    second = images.blank(tmp_path / 'b.img', '8M')
    g = guest(f'ubd0={image}', f'ubdb={second}', 'mem=64M').boot()
    for path, number in (('/dev/ubda', '62:0'), ('/dev/ubdb', '62:10'),
                         ('/dev/ubd0', '62:0'), ('/dev/ubd1', '62:10'),
                         ('/dev/ubd/0', '62:0'), ('/dev/ubd/1', '62:10')):
        assert g.out(f'stat -L -c %t:%T {path}') == number, path
    assert g.poweroff() == 0


@pytest.mark.parametrize('name', ['/dev/ubd0', '/dev/ubd/0', '/dev/ubda'])
def test_fstab_names(guest, image, name):
    """An fstab line with each name can be remounted and checked."""
    g = guest(f'ubd0={image}', 'mem=64M', 'rw').boot()
    g.out(f"echo '{name} / ext4 errors=remount-ro 0 1' > /etc/fstab")
    g.out('mount -o remount,ro / && mount -o remount,rw /')
    assert g.poweroff() == 0


def test_many_disks(guest, image, tmp_path):
    """Eight disks at a time, each with its own data."""
    disks = [images.blank(tmp_path / f'd{i}', f'{4 + i}M') for i in range(1, 8)]
    g = guest(f'ubd0={image}', *(f'ubd{i + 1}={d}' for i, d in enumerate(disks)),
              'mem=128M').boot()
    for i in range(1, 8):
        name = f'/dev/ubd{"abcdefgh"[i]}'
        assert int(g.out(f'blockdev --getsize64 {name}')) == (4 + i) << 20
        g.out(f'echo disk-{i} > /tmp/x && dd if=/tmp/x of={name} bs=512 seek={i} conv=notrunc,'
              'fsync 2>/dev/null')
    assert g.poweroff() == 0
    for i, disk in enumerate(disks, 1):
        with open(disk, 'rb') as f:
            f.seek(512 * i)
            assert f.read(7) == f'disk-{i}\n'.encode()


def test_partitions(guest, image, tmp_path):
    """A partition table made on the host is seen, also one made in the guest."""
    disk = images.blank(tmp_path / 'parts', '32M')
    subprocess.run(['/sbin/sfdisk', '-q', disk], check=True, text=True,
                   input='2048,16384\n18432,8192\n')
    g = guest(f'ubd0={image}', f'ubd1={disk}', 'mem=64M').boot()
    assert g.out('cat /sys/class/block/ubdb1/size /sys/class/block/ubdb2/size').split() == \
        ['16384', '8192']
    assert g.out('stat -c %t:%T /dev/ubdb2') == '62:12'
    g.out('dd if=/dev/zero of=/dev/ubdb bs=512 count=1 2>/dev/null; blockdev --rereadpt /dev/ubdb')
    assert g.run('test -e /dev/ubdb1')[0] != 0
    assert g.poweroff() == 0


def test_read_only(guest, image, tmp_path):
    """The flag r: reads work, writes fail, the file does not change."""
    disk = images.blank(tmp_path / 'ro', '8M', 'ext4')
    before = hashlib.sha256(disk.read_bytes()).digest()
    g = guest(f'ubd0={image}', f'ubd1r={disk}', 'mem=64M').boot()
    assert g.out('blockdev --getro /dev/ubdb') == '1'
    assert g.run('dd if=/dev/zero of=/dev/ubdb bs=4k count=1')[0] != 0
    assert g.run('mount -o ro /dev/ubdb /mnt')[0] == 0
    assert g.run('touch /mnt/x')[0] != 0
    assert g.poweroff() == 0
    assert hashlib.sha256(disk.read_bytes()).digest() == before


def test_data(guest, image, tmp_path):
    """What the guest writes at odd places and sizes is what the host reads."""
    disk = images.blank(tmp_path / 'data', '16M')
    with open(disk, 'r+b') as f:
        f.write(os.urandom(16 << 20))
    want = hashlib.md5(disk.read_bytes()).hexdigest()
    g = guest(f'ubd0={image}', f'ubd1={disk}', 'mem=64M').boot()
    assert g.out('md5sum < /dev/ubdb', timeout=60).split()[0] == want
    g.out('dd if=/dev/urandom of=/tmp/r bs=7k count=100 2>/dev/null;'
          'dd if=/tmp/r of=/dev/ubdb bs=512 seek=3333 conv=notrunc,fsync 2>/dev/null')
    want = g.out('md5sum < /tmp/r').split()[0]
    assert g.poweroff() == 0
    with open(disk, 'rb') as f:
        f.seek(512 * 3333)
        assert hashlib.md5(f.read(7 * 1024 * 100)).hexdigest() == want


def test_sync_survives_kill(guest, image, tmp_path):
    """What was synced is in the file after SIGKILL."""
    g = guest(f'ubd0={image}', 'mem=64M').boot()
    g.out('head -c 300000 /dev/urandom > /root/kept; sync; md5sum /root/kept')
    want = g.out('md5sum < /root/kept').split()[0]
    g.signal(signal.SIGKILL)
    g.wait_exit()
    again = guest(f'ubd0={image}', 'mem=64M').boot()
    assert again.out('md5sum < /root/kept').split()[0] == want
    assert again.poweroff() == 0
    code, text = images.fsck(image)
    assert code == 0, text


def test_clean_after_poweroff(guest, image):
    """A clean power-off leaves a clean file system."""
    g = guest(f'ubd0={image}', 'mem=64M').boot()
    g.out('mkdir /root/d; for i in $(seq 200); do echo $i > /root/d/$i; done')
    assert g.poweroff() == 0
    code, text = images.fsck(image)
    assert code == 0, text


def test_disk_full(guest, image, tmpfs):
    """A full host file system is an I/O error in the guest, not its end."""
    disk = images.blank(tmpfs('1m') / 'sparse', '64M')
    g = guest(f'ubd0={image}', f'ubd1={disk}', 'mem=64M').boot()
    code, _ = g.run('dd if=/dev/urandom of=/dev/ubdb bs=64k count=64 conv=fsync', timeout=60)
    assert code != 0
    assert g.out('echo alive') == 'alive'
    assert g.poweroff() == 0


def test_same_image_twice(guest, image):
    """Two guests can't write to one image."""
    one = guest(f'ubd0={image}', 'mem=64M').boot()
    two = guest(f'ubd0={image}', 'mem=64M')
    two.expect(r'lock|in use|busy', panic_ok=True)
    assert two.wait_exit() != 0
    assert one.poweroff() == 0
