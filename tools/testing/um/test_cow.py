# SPDX-License-Identifier: GPL-2.0
"""Copy-on-write disks.

Promise: a COW file is right at every moment, whatever is cut off, damaged or
changed below it.
"""

import hashlib
import os
import random
import shutil
import signal
import subprocess

import pytest

from harness import images, tools
from harness.disk import O_DIRECT, open_flags
from harness.tap import Tap


@pytest.mark.parametrize('part', ['headers', 'map', 'rules', 'fuzz', 'crash'])
def test_layer(part):
    """The layer alone: layouts, rules, damaged files, power cuts at every write."""
    done = subprocess.run([tools.build_host('cow_test'), part], capture_output=True, text=True,
                          timeout=600, check=False)
    Tap(done.stdout).check()
    assert done.returncode == 0, done.stderr


def test_races():
    """Threads that write, read and flush one file (thread sanitizer)."""
    done = subprocess.run([tools.build_host('cow_races'), 'threads'], capture_output=True,
                          text=True, timeout=600, check=False)
    Tap(done.stdout).check()
    assert done.returncode == 0, done.stderr


@pytest.mark.long
@pytest.mark.parametrize('part, rounds', [('fuzz', 1000000), ('crash', 300)])
def test_layer_long(part, rounds):
    """More of it."""
    done = subprocess.run([tools.build_host('cow_test'), part, str(rounds)],
                          capture_output=True, text=True, timeout=3600, check=False)
    Tap(done.stdout).check()
    assert done.returncode == 0, done.stderr


# -- in a guest -----------------------------------------------------------

@pytest.fixture(name='back')
def _back(tmp_path):
    """An image of 8 MiB with known contents, of yesterday."""
    path = tmp_path / 'back'
    path.write_bytes(random.Random(1).randbytes(8 << 20))
    os.utime(path, (1000000000, 1000000000))
    return path


@pytest.fixture(scope='module', name='ours')
def _ours():
    return tools.build()


def merge(cow, target, program='uml_moo'):
    """The disk, put together by a tool."""
    subprocess.run([program, cow, target], check=True)
    return target.read_bytes()


def log(g):
    """What the kernel says about disks."""
    return g.out("dmesg | grep -i ubd | sed 's/^[^]]*] //'")


def test_first_use(guest, image, tmp_path):
    """ubd0=cow,image makes the COW file; ubd0=cow finds the image; the image stays."""
    before = hashlib.sha256(image.read_bytes()).digest()
    cow = tmp_path / 'cow'
    g = guest(f'ubd0={cow},{image}', 'mem=128M', 'rw').boot()
    assert f'Creating "{cow}" as COW file for "{image}"' in log(g)
    assert g.out('head -c 1000000 /dev/urandom > /root/x; sync; md5sum < /root/x')
    want = g.out('md5sum < /root/x')
    assert g.poweroff() == 0
    g = guest(f'ubd0={cow}', 'mem=128M', 'rw').boot()
    assert 'Creating' not in log(g) and f'"{cow}" is a COW file over "{image}"' in log(g)
    assert g.out('md5sum < /root/x') == want
    assert g.poweroff() == 0
    assert hashlib.sha256(image.read_bytes()).digest() == before
    assert cow.stat().st_blocks * 512 < 16 << 20
    merge(cow, tmp_path / 'merged')
    code, text = images.fsck(tmp_path / 'merged')
    assert code == 0, text
    out = subprocess.run(['/sbin/debugfs', '-R', 'dump /root/x /dev/stdout', tmp_path / 'merged'],
                         capture_output=True, check=True).stdout
    assert hashlib.md5(out).hexdigest() == want.split()[0]


@pytest.mark.parametrize('engine', ['io_uring', 'threads'])
@pytest.mark.parametrize('size', [512, 1000, 32768, 40000, 8 << 20])
def test_both_see_the_same(guest, image, tmp_path, ours, engine, size):
    """The guest, the real uml_moo and ours agree about a disk; small ones included."""
    back = tmp_path / 'back'
    data = random.Random(size).randbytes(size)
    back.write_bytes(data)
    subprocess.run(['uml_mkcow', tmp_path / 'cow', back], check=True)
    g = guest(f'ubd0={image}', f'ubd1={tmp_path}/cow', 'mem=128M', f'ubd_engine={engine}').boot()
    assert int(g.out('blockdev --getsize64 /dev/ubdb')) == -(-size // 512) * 512
    assert g.out('md5sum < /dev/ubdb').split()[0] == \
        hashlib.md5(data.ljust(-(-size // 512) * 512, b'\0')).hexdigest()
    g.out('dd if=/dev/urandom of=/tmp/r bs=512 count=$(( $(blockdev --getsz /dev/ubdb) )) '
          '2>/dev/null')
    # Some sectors, in no order; the last one too.
    sectors = -(-size // 512)
    places = sorted({(n * 7919) % sectors for n in range(12)} | {sectors - 1})
    for n in places:
        g.out(f'dd if=/tmp/r of=/dev/ubdb bs=512 skip={n} seek={n} count=1 conv=notrunc 2>/dev/null')
    g.out('sync; echo 3 > /proc/sys/vm/drop_caches')
    want = g.out('md5sum < /dev/ubdb').split()[0]
    assert g.poweroff() == 0
    mine = merge(tmp_path / 'cow', tmp_path / 'mine', ours['uml_moo'])
    assert hashlib.md5(mine).hexdigest() == want
    real = merge(tmp_path / 'cow', tmp_path / 'real')
    assert real == mine[:len(real)] and len(real) == size // 512 * 512
    assert back.read_bytes() == data


def test_huge(guest, image, tmp_path, ours):
    """An image of 16 GiB and a byte: a small COW file, and every byte is there."""
    size = (16 << 30) + 1
    back = tmp_path / 'back'
    with open(back, 'wb') as f:
        f.seek(size - 1)
        f.write(b'E')
    cow = tmp_path / 'cow'
    g = guest(f'ubd0={image}', f'ubd1={cow},{back}', 'mem=64M').boot()
    assert cow.stat().st_blocks * 512 <= 300 << 10
    assert int(g.out('blockdev --getsize64 /dev/ubdb')) == size + 511
    last = 'bs=512 skip=33554432 count=1 iflag=direct'
    assert g.out(f'dd if=/dev/ubdb {last} 2>/dev/null | tr -d "\\0"') == 'E'
    g.out('echo near | dd of=/dev/ubdb bs=512 seek=33554431 conv=sync,fsync 2>/dev/null')
    g.out('echo 3 > /proc/sys/vm/drop_caches')
    assert g.out(f'dd if=/dev/ubdb {last} 2>/dev/null | tr -d "\\0"') == 'E'
    assert g.poweroff() == 0
    assert cow.stat().st_blocks * 512 <= 400 << 10
    subprocess.run([ours['uml_moo'], cow, tmp_path / 'm'], check=True)
    assert (tmp_path / 'm').stat().st_size == size
    assert (tmp_path / 'm').stat().st_blocks * 512 <= 1 << 20
    with open(tmp_path / 'm', 'rb') as f:
        f.seek(size - 513)
        assert f.read() == b'near\n'.ljust(512, b'\0') + b'E'
    # The guest's write to the last sector is not lost, either.
    g = guest(f'ubd0={image}', f'ubd1={cow}', 'mem=64M').boot()
    g.out('yes | head -c 512 | dd of=/dev/ubdb bs=512 seek=33554432 conv=fsync 2>/dev/null')
    assert g.poweroff() == 0
    subprocess.run([ours['uml_moo'], cow, tmp_path / 'm2'], check=True)
    with open(tmp_path / 'm2', 'rb') as f:
        f.seek(size - 1)
        assert f.read() == b'y\n' * 256


@pytest.mark.parametrize('form', [tools.V1, tools.V2, tools.V3_BROKEN], ids=lambda f: f.name)
def test_old_versions(guest, image, tmp_path, back, ours, form):
    """Files of old versions are read and written."""
    cow = tools.write_cow(tmp_path / 'cow', back, form, {3: b'3' * 512, 5000: b'5' * 512})
    header = cow.read_bytes()[:form.length]
    g = guest(f'ubd0={image}', f'ubd1={cow}', 'mem=64M').boot()
    g.out("yes abc | head -c 5120 | dd of=/dev/ubdb bs=512 seek=77 conv=notrunc,fsync 2>/dev/null")
    want = g.out('md5sum < /dev/ubdb').split()[0]
    assert g.poweroff() == 0
    disk = merge(cow, tmp_path / 'm', ours['uml_moo'])
    assert hashlib.md5(disk).hexdigest() == want
    assert disk[3 * 512:4 * 512] == b'3' * 512 and disk[77 * 512:78 * 512] == (b'abc\n' * 128)
    assert cow.read_bytes()[:form.length] == header


@pytest.mark.parametrize('form', [tools.V1, tools.V2, tools.V3_BROKEN], ids=lambda f: f.name)
def test_discard_old_versions(guest, image, tmp_path, back, form):
    """What is discarded behind the end of a short file doesn't make it one that is cut off."""
    cow = tools.write_cow(tmp_path / 'cow', back, form, {3: b'3' * 512})
    os.truncate(cow, form.layout(8 << 20)[2] + 4 * 512)
    for _ in range(2):
        g = guest(f'ubd0={image}', f'ubd1={cow}', 'mem=128M').boot()
        g.out('blkdiscard -o 4M -l 1M /dev/ubdb; sync; echo 3 > /proc/sys/vm/drop_caches')
        assert g.out('dd if=/dev/ubdb bs=1M skip=4 count=1 2>/dev/null | md5sum').split()[0] == \
            hashlib.md5(bytes(1 << 20)).hexdigest()
        assert g.poweroff() == 0


def refused(guest, *args, text):
    """A boot that must fail; the console says why."""
    g = guest(*args, 'mem=64M')
    g.expect(text, panic_ok=True)
    assert g.wait_exit() != 0


def test_changed_root_is_refused(guest, image, tmp_path):
    """A changed backing file ends the boot; its old time, or accepting it, makes it good."""
    cow = tmp_path / 'cow'
    os.utime(image, (1000000000, 1000000000))
    assert guest(f'ubd0={cow},{image}', 'mem=64M').boot().poweroff() == 0
    os.utime(image)
    refused(guest, f'ubd0={cow}', text=r'mtime mismatch \(1000000000 vs \d+\) of COW header vs '
                                       r'backing file')
    refused(guest, f'ubd0={cow},{image}', text='touch -d @1000000000')
    os.utime(image, (1000000000, 1000000000))
    assert guest(f'ubd0={cow}', 'mem=64M').boot().poweroff() == 0
    os.utime(image)
    g = guest(f'ubd0={cow}', 'ubd_opt=0,accept', 'mem=64M').boot()
    assert 'as it is, as requested' in log(g)
    assert g.poweroff() == 0
    assert guest(f'ubd0={cow}', 'mem=64M').boot().poweroff() == 0
    with open(image, 'ab') as f:
        f.write(b'more')
    refused(guest, f'ubd0={cow}', text='Size mismatch')


def test_bad_files_are_refused(guest, image, tmp_path):
    """Damaged COW files are never taken for images, nor images for COW files."""
    cow = tmp_path / 'cow'
    assert guest(f'ubd0={cow},{image}', 'mem=64M').boot().poweroff() == 0
    whole = cow.read_bytes()
    cases = [(whole[:1000], 'cut off in its header'), (whole[:9000], 'cut off in its bitmap'),
             (whole[:-1], 'cut off'), (b'OOOM\0\0\0\4' + whole[8:], 'unknown version 4'),
             (whole[:24] + bytes(4) + whole[28:], 'alignment 0')]
    for data, text in cases:
        cow.write_bytes(data)
        refused(guest, f'ubd0={cow}', text=text)
        assert cow.read_bytes() == data
    refused(guest, f'ubd0={image},{image}', text='it is no COW file')
    cow.write_bytes(whole)
    refused(guest, f'ubd0={tmp_path}/new,{cow}', text='COW file itself')
    refused(guest, f'ubd0={tmp_path}/new,{tmp_path}/missing', text="Can't open backing file")
    assert not (tmp_path / 'new').exists()


def test_switch(guest, image, tmp_path, back):
    """Another backing file of same size and time is taken; other ones are not."""
    cow = tmp_path / 'cow'
    subprocess.run(['uml_mkcow', cow, back], check=True)
    other = tmp_path / 'other'
    shutil.copy2(back, other)
    g = guest(f'ubd0={image}', f'ubd1={cow},{other}', 'mem=64M').boot()
    assert f'Backing file mismatch - "{other}" requested, "{back}" specified in COW header of ' \
        f'"{cow}"' in log(g)
    assert f"Switching backing file to '{other}'" in log(g)
    assert g.poweroff() == 0
    back.unlink()
    different = tmp_path / 'different'
    different.write_bytes(bytes(8 << 20))
    g = guest(f'ubd0={image}', f'ubd1={cow},{different}', 'mem=64M').boot()
    assert f'Keeping "{other}"' in log(g)
    assert g.out('md5sum < /dev/ubdb').split()[0] == hashlib.md5(other.read_bytes()).hexdigest()
    assert g.poweroff() == 0


def test_flags(guest, image, tmp_path, back):
    """Serial without COW, read-only, shared and plain data."""
    cow = tmp_path / 'cow'
    subprocess.run(['uml_mkcow', cow, back], check=True)
    before = cow.read_bytes()
    g = guest(f'ubd0={image},,SN7', f'ubd1r={cow}', f'ubd2d={cow}', 'mem=64M')
    g.expect(r'uses it already|lock', panic_ok=True)
    g.boot()
    assert g.out('cat /sys/block/ubda/serial') == 'SN7'
    assert g.run('dd if=/dev/zero of=/dev/ubdb bs=4k count=1')[0] != 0
    assert g.poweroff() == 0
    g = guest(f'ubd0={image}', f'ubd1d={cow}', 'mem=64M').boot()
    assert int(g.out('blockdev --getsize64 /dev/ubdb')) == len(before)
    assert g.poweroff() == 0
    assert cow.read_bytes() == before
    with tools.locked(cow, write=True):
        g = guest(f'ubd0={image}', f'ubd1c={cow}', 'ubd_opt=b,direct', 'mem=64M').boot()
        assert 'Not locking' in log(g)
        assert 'ubd_opt=direct is for plain images' in log(g)
        assert not open_flags(g, cow) & O_DIRECT
        assert g.poweroff() == 0


def test_locks(guest, image, tmp_path, ours):
    """One guest writes a COW file; many share the image; nobody writes to that."""
    cow = tmp_path / 'cow'
    g = guest(f'ubd0={cow},{image}', 'mem=64M').boot()
    refused(guest, f'ubd0={cow}', text='lock')
    refused(guest, f'ubd0={image}', text='lock')
    assert subprocess.run([ours['uml_moo'], '-d', cow], check=False).returncode == 1
    h = guest(f'ubd0={tmp_path}/cow2,{image}', 'mem=64M').boot()
    assert h.poweroff() == 0
    g.signal(signal.SIGKILL)
    g.wait_exit()
    assert guest(f'ubd0={cow}', 'mem=64M').boot().poweroff() == 0


def test_discard(guest, image, tmp_path, back):
    """Discarded sectors read as zeroes, and the COW file shrinks."""
    cow = tmp_path / 'cow'
    g = guest(f'ubd0={image}', f'ubd1={cow},{back}', 'mem=128M').boot()
    g.out('dd if=/dev/urandom of=/dev/ubdb bs=1M count=4 conv=fsync 2>/dev/null')
    used = cow.stat().st_blocks * 512
    assert used >= 4 << 20
    g.out('blkdiscard -o 1M -l 5M /dev/ubdb; sync; echo 3 > /proc/sys/vm/drop_caches')
    assert cow.stat().st_blocks * 512 < used - (2 << 20)
    assert g.out('dd if=/dev/ubdb bs=1M skip=1 count=5 2>/dev/null | md5sum').split()[0] == \
        hashlib.md5(bytes(5 << 20)).hexdigest()
    assert g.out('dd if=/dev/ubdb bs=1M skip=6 2>/dev/null | md5sum').split()[0] == \
        hashlib.md5(back.read_bytes()[6 << 20:]).hexdigest()
    assert g.poweroff() == 0


def test_ten_guests(guest, image, tmp_path):
    """Ten machines at once on one image, each with its own COW file."""
    before = hashlib.sha256(image.read_bytes()).digest()
    guests = [guest(f'ubd0={tmp_path}/cow{n},{image}', 'mem=64M', 'rw') for n in range(10)]
    for n, g in enumerate(guests):
        g.boot()
        g.out(f'seq {n} 20000 > /root/mine; sync')
    for n, g in enumerate(guests):
        g.out('echo 3 > /proc/sys/vm/drop_caches')
        text = ''.join(f'{k}\n' for k in range(n, 20001))
        assert g.out('md5sum < /root/mine').split()[0] == hashlib.md5(text.encode()).hexdigest()
        assert g.poweroff() == 0
    for n in range(10):
        merge(tmp_path / f'cow{n}', tmp_path / 'm')
        code, text = images.fsck(tmp_path / 'm')
        assert code == 0, text
    assert hashlib.sha256(image.read_bytes()).digest() == before


@pytest.mark.parametrize('engine', ['io_uring', 'threads'])
def test_kill_in_the_middle(guest, image, tmp_path, engine):
    """SIGKILL in the middle of writes: what was synced is there, the file system is whole."""
    cow = tmp_path / 'cow'
    for n in range(3):
        g = guest(f'ubd0={cow},{image}', 'mem=128M', 'rw', f'ubd_engine={engine}').boot()
        for k in range(n):
            assert g.out(f'md5sum -c /root/sum{k}').endswith('OK')
        g.out(f'mkdir -p /root/d; head -c 200000 /dev/urandom > /root/f{n}; '
              f'md5sum /root/f{n} > /root/sum{n}; sync')
        g.sendline('while :; do for i in 1 2 3 4 5 6 7 8; do head -c 99999 /dev/urandom > '
                   '/root/d/$i; done; echo round; sync; done')
        for _ in range(3 + n):
            g.expect('round')
        g.signal(signal.SIGKILL)
        g.wait_exit()
        merge(cow, tmp_path / 'm')
        # The journal has to be replayed, as after any power cut.
        subprocess.run(['/sbin/e2fsck', '-fy', tmp_path / 'm'], check=False,
                       stdout=subprocess.DEVNULL)
        code, text = images.fsck(tmp_path / 'm')
        assert code == 0, text


def test_ends_without_a_flush(guest, image, tmp_path, back, ours):
    """What was written, but not flushed, is there after any ordered end."""
    cow = tmp_path / 'cow'
    g = guest(f'ubd0={image}', f'ubd1={cow},{back}', 'mem=64M').boot()
    g.out('dd if=/dev/zero of=/dev/ubdb bs=64k count=4 oflag=direct 2>/dev/null')
    g.signal(signal.SIGTERM)
    g.wait_exit()
    assert merge(cow, tmp_path / 'm', ours['uml_moo'])[:256 << 10] == bytes(256 << 10)


def test_full_host_disk(guest, image, tmpfs, tmp_path, back):
    """A COW file without room: write errors in the guest, nothing else is hurt."""
    cow = tmpfs('1m') / 'cow'
    g = guest(f'ubd0={image}', f'ubd1={cow},{back}', 'mem=64M').boot()
    assert g.run('dd if=/dev/zero of=/dev/ubdb bs=64k count=64 conv=fsync')[0] != 0
    assert g.out('dd if=/dev/ubdb bs=1M skip=6 2>/dev/null | md5sum').split()[0] == \
        hashlib.md5(back.read_bytes()[6 << 20:]).hexdigest()
    assert g.poweroff() == 0
    merge(cow, tmp_path / 'm')
