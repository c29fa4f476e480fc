# SPDX-License-Identifier: GPL-2.0
"""ubd: the grammar, both engines, sizes, errors, locks, discard, limits, hot-plug."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import deny, images
from harness.paths import KERNEL

ENGINES = ['io_uring', 'threads']
O_SYNC = 0o4010000
O_DIRECT = 0o40000


def ask(*args):
    """A command line that must be refused: exit code and stderr."""
    done = subprocess.run([KERNEL, *args], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stderr


def blocks(path):
    """What a file takes on the host's disk, in KiB."""
    return os.stat(path).st_blocks // 2


def open_flags(g, path):
    """The flags with which the kernel process has a file open."""
    for fd in Path(f'/proc/{g.pid}/fd').iterdir():
        if os.readlink(fd) == str(path):
            text = Path(f'/proc/{g.pid}/fdinfo/{fd.name}').read_text('ascii')
            return int(re.search(r'flags:\s*(\d+)', text).group(1), 8)
    raise AssertionError(f'{path} is not open')


def hotplug(g, command):
    """What the management console would get: error number and text."""
    g.run('mount -t debugfs none /sys/kernel/debug')
    text = g.out(f"exec 3<>/sys/kernel/debug/um/hotplug; echo '{command}' >&3; cat <&3; "
                 'exec 3<&-')
    number, _, reply = text.splitlines()[-1].partition(' ')
    return int(number), reply.strip()


@contextmanager
def small_tmpfs(folder, size):
    """A file system of the host that is soon full."""
    folder.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', folder],
                      check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip('cannot mount a tmpfs here')
    try:
        yield folder
    finally:
        subprocess.run(['umount', '-l', folder], check=True)


@contextmanager
def loop_device(file, *options):
    """A block device of the host."""
    done = subprocess.run(['losetup', '--show', '-f', *options, file], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        pytest.skip('cannot make a loop device here')
    try:
        yield done.stdout.strip()
    finally:
        subprocess.run(['losetup', '-d', done.stdout.strip()], check=True)


# -- the grammar -----------------------------------------------------------

@pytest.mark.parametrize('words, message', [
    (['ubd16=file'], 'Device number out of range'),
    (['ubd0x10=file'], 'Device number out of range'),
    (['ubdq=file'], 'Device number out of range'),
    (['ubd-1=file'], "Couldn't parse device number"),
    (['ubd1'], "Missing '='"),
    (['ubd1r'], "Missing '='"),
    (['ubd1='], 'Missing file name'),
    (['ubd1=,backing'], 'Missing file name'),
    (['ubd1x=file'], "Expected '=' or flag letter (r, s, c, t or d)"),
    (['ubd1rsdctrs=file'], 'Too many flags specified'),
    (['ubd1d=file,backing'], "Can't specify both 'd' and a cow file"),
    (['ubd1=file', 'ubdb=other'], 'Device is already configured'),
    (['ubd1=' + 9000 * 'x'], 'too long'),
    (['udb1=file'], 'did you mean ubd1=file?'),
    (['ubd_engine=fast'], 'io_uring'),
    (['ubd_opt=b'], 'ubd_opt=b,bytes=10M'),
    (['ubd_opt=z,direct'], 'ubd_opt=b,bytes=10M'),
    (['ubd_opt=b,bytes=many'], 'bytes=10M'),
    (['ubd_opt=b,bytes=99999999G'], 'bytes=10M'),
    (['ubd_opt=b,slow'], '"slow"'),
])
def test_refused(words, message):
    """A bad word: one line that says what is wrong, before anything starts."""
    code, text = ask(*words, 'mem=64M')
    assert code == 1
    assert text.startswith(f'linux: {words[-1]}:'), text
    assert message in text and text.count('\n') == 1, text


def test_all_words(guest, image, tmp_path):
    """16 disks, given in every way: numbers, letters, flags, separators, serials."""
    names = ['0', 'b', '2r', '0x3', 'es', '5d', '6c', '7t', '8rsdct', '0x9', 'k', '11', '0xc',
             'n', '14', 'p']
    files = [image] + [images.blank(tmp_path / f'd{i}', '1M') for i in range(1, 16)]
    tails = {1: ',,SER-1', 2: '::SER2', 3: ',:SER 3', 4: ','}
    g = guest(*(f'ubd{n}={files[i]}{tails.get(i, "")}' for i, n in enumerate(names)),
              'mem=128M').boot()
    for i in range(16):
        name = f'ubd{"abcdefghijklmnop"[i]}'
        assert g.out(f'stat -c %t:%T /dev/{name}') == f'62:{16 * i:x}'
        assert int(g.out(f'blockdev --getsize64 /dev/{name}')) == os.stat(files[i]).st_size
    assert g.out('cd /sys/block; cat ubdb/serial ubdc/serial ubdd/serial').splitlines() == \
        ['SER-1', 'SER2', 'SER 3']
    assert g.out('cat /sys/block/ubde/serial') == ''
    assert g.out('for d in b c i; do cat /sys/block/ubd$d/ro; done').split() == ['0', '1', '1']
    assert g.out('cat /sys/block/ubde/queue/write_cache') == 'write through'
    assert g.out('cat /sys/block/ubdb/queue/write_cache') == 'write back'
    assert open_flags(g, files[4]) & O_SYNC == O_SYNC
    assert not open_flags(g, files[1]) & O_SYNC
    assert g.out('cat /sys/block/ubdh/queue/discard_max_bytes') == '0'
    assert g.out('cat /sys/block/ubdb/queue/discard_max_bytes') != '0'
    assert f'ubdg: Not locking "{files[6]}" on the host' in g.out('dmesg')
    assert g.poweroff() == 0


def test_all_sync(guest, image, tmp_path):
    """ubd=sync is about the disks after it; another ubd= has no effect."""
    one, two = (images.blank(tmp_path / name, '1M') for name in ('one', 'two'))
    g = guest('ubd=7', f'ubd0={image}', f'ubd1={one}', 'ubd=sync', f'ubd2={two}', 'mem=64M').boot()
    assert not open_flags(g, one) & O_SYNC
    assert open_flags(g, two) & O_SYNC == O_SYNC
    assert g.poweroff() == 0


def test_old_ioctls(guest, image):
    """The geometry that partition programs ask for."""
    g = guest(f'ubd0={image}', 'mem=64M').boot()
    assert '128 heads, 32 sectors' in g.out('fdisk -l /dev/ubda') or \
        g.run('which fdisk')[0] != 0
    assert g.poweroff() == 0


@pytest.mark.parametrize('what, message', [
    ('missing', r'errno = 2 \(no such file\)'),
    ('folder', r'errno = 21 \(it is a directory\)'),
    ('device', r'errno = 15 \(it is neither a file nor a block device\)'),
    ('cow', r'COW file'),
])
def test_no_disk(guest, image, tmp_path, what, message):
    """A file that can't serve, such as a drive that isn't there: said, and the boot goes on."""
    path = {'missing': '/dev/fd0', 'device': '/dev/null'}.get(what, str(tmp_path / 'x'))
    if what == 'folder':
        os.mkdir(path)
    if what == 'cow':
        Path(path).write_bytes(b'OOOM' + bytes(8000))
    g = guest(f'ubd0={image}', f'ubd3={path}', 'mem=64M').boot()
    log = g.out('dmesg')
    assert re.search(rf'ubdd: .*{re.escape(path)}".*{message}', log), log
    assert 'Failed to initialize ubd device 3' in log
    assert g.run('test -e /dev/ubdd')[0] != 0
    assert g.poweroff() == 0


# -- what users do with disks ----------------------------------------------

def test_tar(guest, image, tmp_path):
    """tar xf /dev/ubdb unpacks an archive of the host."""
    (tmp_path / 'hello').write_text('hello, world\n', encoding='ascii')
    subprocess.run(['tar', '-cf', tmp_path / 'hello.tar', '-C', tmp_path, 'hello'], check=True)
    g = guest(f'ubd0={image}', f'ubdb={tmp_path}/hello.tar', 'mem=64M').boot()
    assert g.out('cd /tmp && tar xf /dev/ubdb && cat hello') == 'hello, world'
    assert g.poweroff() == 0


def test_swap(guest, image, tmp_path):
    """mkswap, swapon, and swapping under pressure."""
    swap = images.blank(tmp_path / 'swap', '128M')
    g = guest(f'ubd0={image}', f'ubdb={swap}', 'mem=48M').boot()
    g.out('mkswap /dev/ubdb && swapon /dev/ubdb')
    assert '/dev/ubdb' in g.out('cat /proc/swaps')
    g.out('mount -t tmpfs -o size=80M none /mnt')
    g.out('dd if=/dev/urandom of=/mnt/x bs=1M count=64 2>/dev/null && md5sum /mnt/x > /tmp/sum', timeout=120)
    assert int(g.out("awk '/ubdb/ {print $4}' /proc/swaps")) > 1000
    assert g.run('md5sum -c /tmp/sum', timeout=120)[0] == 0
    g.out('rm /mnt/x; swapoff /dev/ubdb', timeout=120)
    assert g.poweroff() == 0


def test_block_device(guest, image, tmp_path):
    """A block device of the host: its size, its block size, reading, writing."""
    file = images.blank(tmp_path / 'big-blocks', '8M')
    with loop_device(file, '-b', '4096') as loop:
        g = guest(f'ubd0={image}', f'ubdb={loop}', 'mem=64M').boot()
        assert g.out('cat /sys/block/ubdb/queue/logical_block_size') == '4096'
        assert int(g.out('blockdev --getsize64 /dev/ubdb')) == 8 << 20
        g.out('/tests/disk_verify /dev/ubdb 1')
        g.out('echo to the host | dd of=/dev/ubdb bs=4096 conv=sync,fsync 2>/dev/null')
        assert g.poweroff() == 0
    assert file.read_bytes().startswith(b'to the host\n')


def test_read_only_medium(guest, image, tmp_path):
    """A medium that can't be written is a read-only disk."""
    file = images.blank(tmp_path / 'cd', '1M')
    file.write_bytes(b'medium' + bytes((1 << 20) - 6))
    with loop_device(file, '-r') as loop:
        g = guest(f'ubd0={image}', f'ubdb={loop}', 'mem=64M').boot()
        assert "can't be written; the disk is read-only" in g.out('dmesg')
        assert g.out('blockdev --getro /dev/ubdb') == '1'
        assert g.out('head -c 6 /dev/ubdb') == 'medium'
        assert g.run('dd if=/dev/zero of=/dev/ubdb bs=512 count=1')[0] != 0
        assert g.poweroff() == 0


# -- sizes -----------------------------------------------------------------

@pytest.mark.parametrize('engine', ['io_uring', 'threads', 'direct'])
@pytest.mark.parametrize('size', [1, 511, 1000, 4097, 1048577, 17179869185])
def test_odd_size(guest, image, tmp_path, engine, size):
    """The last part of a sector is read and written; the file never shrinks."""
    file = tmp_path / 'odd'
    tail = b'the end'[-min(size, 7):]
    with open(file, 'wb') as f:
        f.seek(size - len(tail))
        f.write(tail)
    sectors = (size + 511) // 512
    option = 'ubd_opt=b,direct' if engine == 'direct' else f'ubd_engine={engine}'
    g = guest(f'ubd0={image}', f'ubdb={file}', option, 'mem=64M').boot()
    if g.out('cat /sys/block/ubdb/queue/logical_block_size') != '512':
        pytest.skip('O_DIRECT wants larger blocks here')
    assert int(g.out('blockdev --getsize64 /dev/ubdb')) == sectors * 512
    at = (size - len(tail)) % 512
    skip = (size - len(tail)) // 512
    text = g.out(f'dd if=/dev/ubdb bs=512 skip={skip} iflag=direct 2>/dev/null | tail -c +{at + 1} '
                 '| od -An -c | tr -d " \\n"')
    assert text.startswith(tail.decode().replace(' ', '')) and '\\0' in text
    assert os.stat(file).st_size == size
    g.out('yes | head -c 512 > /tmp/y; '
          f'dd if=/tmp/y of=/dev/ubdb bs=512 seek={sectors - 1} oflag=direct 2>/dev/null')
    assert g.poweroff() == 0
    # As documented: grown to whole blocks, no more.
    assert os.stat(file).st_size == sectors * 512
    with open(file, 'rb') as f:
        f.seek((sectors - 1) * 512)
        assert f.read() == b'y\n' * 256
    if sectors > 1 and at + len(tail) > 512:
        with open(file, 'rb') as f:
            f.seek(size - len(tail))
            assert tail.startswith(f.read(512 - at))


# -- engines ---------------------------------------------------------------

@pytest.mark.parametrize('engine', ENGINES)
@pytest.mark.parametrize('how', ['plain', 's', 'direct', 'limit'])
def test_verify(guest, image, tmp_path, engine, how):
    """Every sector is what was written, zeroed or discarded last; so it is on the host."""
    file = images.blank(tmp_path / 'data', '24M')
    opts = {'direct': ['ubd_opt=b,direct'], 'limit': ['ubd_opt=all,requests=2000,bytes=100M']}
    g = guest(f'ubd0={image}', f'ubdb{"s" if how == "s" else ""}={file}',
              f'ubd_engine={engine}', 'mem=96M', *opts.get(how, [])).boot()
    want = {'io_uring': 'io_uring', 'threads': 'host threads, as ubd_engine= says'}[engine]
    assert f'ubd: requests go through {want}' in g.out('dmesg')
    if how == 'direct':
        assert open_flags(g, file) & O_DIRECT
    text = g.out('/tests/disk_verify /dev/ubdb 3', timeout=120)
    assert 'discard yes' in text and 'poll yes' in text, text
    assert int(re.search(r'(\d+) operations', text).group(1)) > 50
    want = g.out('md5sum < /dev/ubdb', timeout=60)
    assert g.poweroff() == 0
    assert subprocess.run(['md5sum'], stdin=open(file, 'rb'), capture_output=True, text=True,
                          check=True).stdout.strip() == want


@pytest.mark.long
@pytest.mark.parametrize('engine', ENGINES)
def test_verify_long(guest, image, tmp_path, engine):
    """The same for minutes, with 16 threads."""
    file = images.blank(tmp_path / 'data', '256M')
    g = guest(f'ubd0={image}', f'ubdb={file}', f'ubd_engine={engine}', 'mem=256M').boot()
    g.out('/tests/disk_verify /dev/ubdb 180 16', timeout=900)
    assert g.poweroff() == 0


def test_queues(guest, image):
    """Several hardware queues for each CPU: reads, the rest, polled."""
    g = guest(f'ubd0={image}', 'mem=64M').boot()
    assert g.out('ls /sys/block/ubda/mq').split() == ['0', '1', '2']
    assert g.poweroff() == 0


def test_no_io_uring(guest, image):
    """A host that refuses io_uring, as containers do: threads, and the log says why."""
    g = guest(deny.__file__, 'io_uring_setup', KERNEL, f'ubd0={image}', 'mem=64M', raw=True,
              kernel=sys.executable).boot()
    assert 'ubd: requests go through host threads: the host has no io_uring for us (error 1)' \
        in g.out('dmesg')
    g.out('cp -r /bin /root && sync')
    assert g.poweroff() == 0


def test_io_uring_demanded(image):
    """ubd_engine=io_uring where there is none: one clear line."""
    done = subprocess.run([sys.executable, deny.__file__, 'io_uring_setup', KERNEL,
                           f'ubd0={image}', 'ubd_engine=io_uring'], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == ('linux: ubd_engine=io_uring: the host refuses io_uring '
                           '(Operation not permitted); use ubd_engine=auto\n')


def test_sync_reaches_host(guest, image, tmp_path):
    """sync in the guest is an fdatasync of the file; a write with FUA is RWF_DSYNC."""
    if not shutil.which('strace'):
        pytest.skip('strace is not installed')
    log = tmp_path / 'log'
    file = images.blank(tmp_path / 'data', '8M')
    g = guest('-f', '-qq', '-e', 'trace=fdatasync,pwritev2', '-o', log, KERNEL, f'ubd0r={image}',
              f'ubdb={file}', 'mem=64M', 'ubd_engine=threads', raw=True,
              kernel='/usr/bin/strace').boot(timeout=300)
    before = log.read_text('ascii', 'replace')
    g.out('dd if=/dev/zero of=/dev/ubdb bs=4k count=1 conv=fsync 2>/dev/null', timeout=60)
    after = log.read_text('ascii', 'replace')[len(before):]
    assert 'fdatasync(' in after
    assert after.index('pwritev2(') < after.index('fdatasync(')
    g.out('/tests/disk_verify /dev/ubdb 1', timeout=60)
    assert 'RWF_DSYNC' in log.read_text('ascii', 'replace')
    assert g.poweroff() == 0


# -- errors of the host ----------------------------------------------------

@pytest.mark.parametrize('engine', ENGINES)
def test_no_space(guest, image, tmp_path, engine):
    """ENOSPC of the host fails the request; with space again, the disk works on."""
    with small_tmpfs(tmp_path / 'full', '2m') as folder:
        disk = images.blank(folder / 'disk', '16M')
        (folder / 'ballast').write_bytes(bytes(1 << 20))
        g = guest(f'ubd0={image}', f'ubdb={disk}', f'ubd_engine={engine}', 'mem=64M').boot()
        code, text = g.run('dd if=/dev/urandom of=/dev/ubdb bs=64k count=128 oflag=direct')
        assert code != 0 and 'No space left on device' in text, text
        assert 'critical space allocation error, dev ubdb' in g.out('dmesg')
        (folder / 'ballast').unlink()
        g.out('dd if=/dev/urandom of=/tmp/r bs=64k count=4 2>/dev/null; '
              'dd if=/tmp/r of=/dev/ubdb bs=64k seek=100 oflag=direct 2>/dev/null')
        assert g.out('dd if=/dev/ubdb bs=64k skip=100 count=4 iflag=direct 2>/dev/null | md5sum') \
            == g.out('md5sum < /tmp/r')
        assert g.poweroff() == 0


@pytest.mark.parametrize('engine', ENGINES)
@pytest.mark.parametrize('how', ['direct', 'buffered'])
def test_io_error(guest, image, tmp_path, engine, how):
    """EIO of the host, here a loop device whose file is gone, is an I/O error in the guest."""
    file = images.blank(tmp_path / 'disk', '8M')
    with loop_device(file) as loop:
        opts = ['ubd_opt=b,direct'] if how == 'direct' else []
        g = guest(f'ubd0={image}', f'ubdb={loop}', f'ubd_engine={engine}', 'mem=64M', *opts).boot()
        g.out('dd if=/dev/ubdb of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null')
        os.truncate(file, 1 << 20)
        text = g.run('dd if=/dev/ubdb of=/dev/null bs=64k skip=64 count=1 iflag=direct')[1]
        assert 'I/O error' in text, text
        assert 'I/O error, dev ubdb' in g.out('dmesg')
        os.truncate(file, 8 << 20)
        g.out('dd if=/dev/ubdb of=/dev/null bs=64k skip=64 count=1 iflag=direct')
        assert g.poweroff() == 0


# -- crashes and locks -----------------------------------------------------

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


# -- discard ---------------------------------------------------------------

@pytest.mark.parametrize('how', ['mount', 'tune2fs', 'fstrim'])
def test_discard(guest, image, tmp_path, how):
    """What the guest frees is free on the host: by mount option, by tune2fs, by fstrim."""
    disk = images.blank(tmp_path / 'disk', '64M', 'ext4')
    if how == 'tune2fs':
        subprocess.run(['/sbin/tune2fs', '-o', 'discard', disk], check=True,
                       stdout=subprocess.DEVNULL)
    size = os.stat(disk).st_size
    g = guest(f'ubd0={image}', f'ubdb={disk}', 'mem=64M').boot()
    g.out(f'mount {"-o discard" if how == "mount" else ""} /dev/ubdb /mnt')
    g.out('dd if=/dev/urandom of=/mnt/x bs=1M count=20 2>/dev/null && sync', timeout=60)
    full = blocks(disk)
    assert full > 20 << 10
    g.out('rm /mnt/x; sync')
    if how == 'fstrim':
        assert blocks(disk) > 20 << 10
        g.out('fstrim /mnt')
    for _ in range(100):
        if blocks(disk) < full - (18 << 10):
            break
        time.sleep(0.1)
    assert blocks(disk) < full - (18 << 10)
    assert os.stat(disk).st_size == size
    g.out('umount /mnt')
    assert g.poweroff() == 0
    assert images.fsck(disk)[0] == 0


def test_no_trim(guest, image, tmp_path):
    """The flag t: no discard; and secure erase is never offered."""
    one, two = (images.blank(tmp_path / name, '4M') for name in ('one', 'two'))
    for file in (one, two):
        file.write_bytes(bytes([7]) * (4 << 20))
    g = guest(f'ubd0={image}', f'ubd1={one}', f'ubd2t={two}', 'mem=64M').boot()
    assert g.run('blkdiscard -s /dev/ubdb')[0] != 0
    assert blocks(one) >= 4 << 10
    g.out('blkdiscard /dev/ubdb')
    assert g.run('blkdiscard /dev/ubdc')[0] != 0
    assert g.poweroff() == 0
    assert blocks(one) == 0 and not any(one.read_bytes())
    assert two.read_bytes() == bytes([7]) * (4 << 20)


# -- what the guest must not write -------------------------------------------

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


# -- rate limits -----------------------------------------------------------

def seconds(g, command):
    """How long a command took, for the guest."""
    start = float(g.out('cat /proc/uptime').split()[0])
    g.out(command, timeout=120)
    return float(g.out('cat /proc/uptime').split()[0]) - start


def test_limit(guest, image, tmp_path):
    """A disk is as slow as it is told to be."""
    disk = images.blank(tmp_path / 'disk', '16M')
    g = guest(f'ubd0={image}', f'ubd1={disk}', 'ubd_opt=b,requests=20,bytes=1M', 'mem=64M').boot()
    read = 'dd if=/dev/ubdb of=/dev/null iflag=direct 2>/dev/null'
    # What a burst lets through at once, a tenth of a second's, is taken off.
    assert seconds(g, f'{read} bs=4k count=42') > 1.8
    assert seconds(g, f'{read} bs=256k count=8') > 1.5
    # The guest can't lift that, but make it less and take that back.
    folder = '/sys/block/ubdb/limit'
    for bad in ('0 > {}/requests', '21 > {}/requests', '100M > {}/bytes', '0 > {}/bytes',
                '3 > {}/burst_requests', '1M > {}/burst_bytes', '-1 > {}/bytes', 'x > {}/bytes',
                '1M2 > {}/bytes', '99999999G > {}/bytes'):
        assert g.run('echo ' + bad.format(folder))[0] != 0, bad
    assert g.out(f'cat {folder}/requests {folder}/bytes').split() == ['20', str(1 << 20)]
    g.out(f'echo 10 > {folder}/requests; echo 20 > {folder}/requests')
    # Nor is it a way to fill the buckets.
    assert seconds(g, f'for i in $(seq 42); do echo 20 > {folder}/requests; '
                      f'{read} bs=4k count=1; done') > 1.8
    assert g.poweroff() == 0


def test_limit_later(guest, image, tmp_path):
    """The guest's own limits: set, changed and lifted."""
    disk = images.blank(tmp_path / 'disk', '16M')
    g = guest(f'ubd0={image}', f'ubd1={disk}', 'mem=64M').boot()
    read = 'dd if=/dev/ubdb of=/dev/null iflag=direct 2>/dev/null'
    g.out('echo 1M > /sys/block/ubdb/limit/bytes')
    assert seconds(g, f'{read} bs=256k count=8') > 1.5
    g.out('echo 100M > /sys/block/ubdb/limit/bytes')
    assert g.out('cat /sys/block/ubdb/limit/bytes') == str(100 << 20)
    g.out(f'{read} bs=256k count=64')
    g.out('echo 1000 > /sys/block/ubdb/limit/burst_requests; '
          'echo 10 > /sys/block/ubdb/limit/requests; echo 0 > /sys/block/ubdb/limit/bytes')
    assert seconds(g, f'{read} bs=4k count=500') < 40
    # Waiting requests notice that the limit is gone.
    g.out('echo 0 > /sys/block/ubdb/limit/burst_requests; echo 1 > /sys/block/ubdb/limit/requests')
    g.sendline(f'{read} bs=4k count=1000 &')
    g.out('sleep 1; echo 0 > /sys/block/ubdb/limit/requests; wait', timeout=60)
    assert g.poweroff() == 0


# -- hot-plug --------------------------------------------------------------

def test_hotplug(guest, image, tmp_path):
    """Disks are made, asked about and removed; the answers are those that clients know."""
    one, two = (images.blank(tmp_path / name, '4M', 'ext4') for name in ('one', 'two'))
    g = guest(f'ubd0={image}', 'mem=96M', 'hotplug_from_guest').boot()
    assert hotplug(g, 'config ubd0') == (0, str(image))
    assert hotplug(g, 'config ubd1') == (0, '')
    for command, answer in (
            ('config ubd16', (1, 'ubd_get_config : device number out of range')),
            ('config ubd16=x', (1, 'Device number out of range')),
            ('config ubd1x=x', (-22, "Expected '=' or flag letter (r, s, c, t or d)")),
            ('config ubd1rrrrrrr=x', (-22, 'Too many flags specified')),
            ('config ubd1d=x,y', (-22, "Can't specify both 'd' and a cow file")),
            ('config ubd0=x', (-16, 'Device is already configured')),
            ('config ubd1=/no/such', (-2, "Couldn't determine size of device's file")),
            ('config other=x', (1, 'Bad configuration option')),
            ('remove other', (1, 'Bad remove option')),
            ('remove ubd', (1, "Couldn't parse device number")),
            ('remove ubd16', (1, 'Invalid device number - must be between 0 and 15')),
            ('remove ubd1', (-19, "Device doesn't exist")),
            ('remove ubd0', (-16, 'Device is currently open')),
            ('something', (-22, 'use config or remove'))):
        assert hotplug(g, command) == answer, command
    for name, file in (('1', one), ('b', two)):
        assert hotplug(g, f'config ubd{name}={file}') == (0, '')
        assert hotplug(g, 'config ubd1') == (0, str(file))
        g.out('mount /dev/ubd1 /mnt && echo kept > /mnt/f')
        assert hotplug(g, 'remove ubd1') == (-16, 'Device is currently open')
        g.out('umount /mnt')
        assert hotplug(g, f'remove ubd{name}') == (0, '')
        assert g.run('ls /dev/ubd1 /dev/ubdb /dev/ubd/1 /sys/block/ubdb')[1].count(
            'No such file') == 4
        assert hotplug(g, 'config ubd1') == (0, '')
        code, text = images.fsck(file)
        assert code == 0, text
        # Nothing holds it.
        assert str(file) not in [os.readlink(fd) for fd in Path(f'/proc/{g.pid}/fd').iterdir()]
    assert g.poweroff() == 0


def test_hotplug_not_for_guests(shell):
    """Root in a guest can't open files of the host, unless the command line says so."""
    shell.run('mount -t debugfs none /sys/kernel/debug')
    assert shell.run('ls /sys/kernel/debug/um')[0] == 0
    assert shell.run('ls /sys/kernel/debug/um/hotplug')[0] != 0
    shell.run('umount /sys/kernel/debug')


def test_hotplug_often(guest, image, tmp_path):
    """A hundred times: nothing leaks, nothing hangs."""
    file = images.blank(tmp_path / 'disk', '4M')
    g = guest(f'ubd0={image}', 'mem=96M', 'hotplug_from_guest').boot()
    hotplug(g, f'config ubd1={file}')
    hotplug(g, 'remove ubd1')
    g.put('/tmp/often', f"""
i=0
while [ $i -lt 100 ]; do
	i=$((i+1))
	for c in 'config ubd1={file}' 'remove ubd1'; do
		exec 3<>/sys/kernel/debug/um/hotplug
		echo "$c" >&3
		read -r n rest <&3
		exec 3<&-
		[ "$n" = 0 ] || exit 1
		[ "$c" = 'remove ubd1' ] || dd if=/dev/ubdb of=/dev/null bs=64k iflag=direct 2>/dev/null || exit 2
	done
done
""")
    descriptors = len(os.listdir(f'/proc/{g.pid}/fd'))
    g.out('sh /tmp/often', timeout=300)
    assert len(os.listdir(f'/proc/{g.pid}/fd')) == descriptors
    assert g.poweroff() == 0
