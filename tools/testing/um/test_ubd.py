# SPDX-License-Identifier: GPL-2.0
"""ubd: its words, what can be a disk, and of what size."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from harness import images
from harness.disk import O_SYNC, loop_device, open_flags
from harness.paths import KERNEL


def ask(*args):
    """A command line that must be refused: exit code and stderr."""
    done = subprocess.run([KERNEL, *args], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stderr


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
