# SPDX-License-Identifier: GPL-2.0
"""File systems on disks, and disks alone, under random work that is verified.

Promise: what programs write is what they read, on plain images and COW files, by both
engines, also after the machine was started again; and the file system is whole.
"""

import subprocess

import pytest

from harness import images, tools
from harness.disk import ENGINES

KINDS = ['raw', 'cow']


class Disk:
    """A second disk: an image, or a COW file over one."""

    def __init__(self, folder, kind, size, fs=None):
        self.folder = folder
        self.kind = kind
        self.image = images.blank(folder / 'disk', size, fs)
        self.word = f'ubdb={self.image}'
        if kind == 'cow':
            self.word = f'ubdb={folder}/cow,{self.image}'

    def content(self):
        """The disk as one file."""
        if self.kind == 'raw':
            return self.image
        merged = self.folder / 'merged'
        subprocess.run([tools.build()['uml_moo'], self.folder / 'cow', merged], check=True)
        return merged


def whole(disk):
    """The file system has no error."""
    code, text = images.fsck(disk.content())
    assert code == 0, text


# -- file systems -------------------------------------------------------------

def run_fsx(guest, image, disk, engine, seeds, ops, options=''):
    """Random operations on a file agree with a model; and the file is the same later."""
    args = [f'ubd0={image}', disk.word, f'ubd_engine={engine}', 'mem=96M']
    g = guest(*args).boot()
    g.out(f'mount {options} /dev/ubdb /mnt')
    for seed in seeds:
        code, text = g.run(f'/tests/fsx /mnt/x{seed} --ops {ops} --seed {seed}', timeout=3600)
        assert code == 0, text
    g.out('umount /mnt; mount /dev/ubdb /mnt; cd /mnt; md5sum x* > sums')
    assert g.poweroff() == 0
    g = guest(*args).boot()
    g.out('mount -o ro /dev/ubdb /mnt; cd /mnt && md5sum -c sums')
    assert g.poweroff() == 0
    whole(disk)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('engine', ENGINES)
def test_fsx(guest, image, tmp_path, engine, kind):
    """One file: read, written, mapped, cut, punched, copied; with discard on."""
    run_fsx(guest, image, Disk(tmp_path, kind, '64M', 'ext4'), engine, (1,), 2000,
            '-o discard')


@pytest.mark.long
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('engine', ENGINES)
def test_fsx_long(guest, image, tmp_path, engine, kind):
    """... for long."""
    run_fsx(guest, image, Disk(tmp_path, kind, '64M', 'ext4'), engine, range(10, 14), 30000,
            '-o discard')


def run_storm(guest, image, disk, engine, ops, seed):
    """What is left of a tree after a storm is the same after a new start."""
    args = [f'ubd0={image}', disk.word, f'ubd_engine={engine}', 'mem=96M']
    g = guest(*args).boot()
    g.out('mount -o discard /dev/ubdb /mnt && mkdir /mnt/tree')
    code, text = g.run(f'/tests/fstorm /mnt/tree --ops {ops} --seed {seed}', timeout=3600)
    assert code == 0, text
    want = g.out('/tests/fstorm /mnt/tree --digest | md5sum')
    assert g.poweroff() == 0
    g = guest(*args).boot()
    g.out('mount -o ro /dev/ubdb /mnt')
    assert g.out('/tests/fstorm /mnt/tree --digest | md5sum') == want
    assert g.poweroff() == 0
    whole(disk)


@pytest.mark.parametrize('engine, kind', zip(ENGINES, KINDS))
def test_storm(guest, image, tmp_path, engine, kind):
    """Everything at once on one tree."""
    run_storm(guest, image, Disk(tmp_path, kind, '96M', 'ext4'), engine, 2000, 1)


@pytest.mark.long
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('engine', ENGINES)
def test_storm_long(guest, image, tmp_path, engine, kind):
    """... for long."""
    run_storm(guest, image, Disk(tmp_path, kind, '96M', 'ext4'), engine, 20000, 7)


# -- disks alone ----------------------------------------------------------------

@pytest.fixture
def fio_image(tmp_path):
    """The busybox image with fio."""
    return images.copy(images.with_program('fio'), tmp_path / 'root.img')


# Each job has a part of the disk of its own.
JOBS = {
    'long': '--rw=write --bs=1m --ioengine=psync',
    'random': '--rw=randwrite --bs=4k --ioengine=io_uring --iodepth=32',
    'mixed': '--rw=randrw --bsrange=512-64k --ioengine=io_uring --iodepth=8 '
             '--verify_backlog=500',
    'alone': '--rw=randwrite --bs=4k --ioengine=psync --fdatasync=50',
}
PART = 16


def fio(names, *options):
    """A command line with some of the jobs."""
    words = ['/tests/fio --filename=/dev/ubdb --direct=1 --thread --randseed=7 --end_fsync=1',
             f'--verify=crc32c --verify_fatal=1 --size={PART}M --output-format=terse', *options]
    words += [f'--name={name} --offset={list(JOBS).index(name) * PART}M {JOBS[name]}'
              for name in names]
    return ' '.join(words)


def run_fio(guest, image, disk, engine, loops):
    """Write with checksums, verify; and verify again after a new start."""
    args = [f'ubd0={image}', disk.word, f'ubd_engine={engine}', 'mem=192M']
    g = guest(*args).boot()
    code, text = g.run(fio(JOBS, f'--loops={loops}'), timeout=loops * 60 + 300)
    assert code == 0 and 'verify' not in text, text
    want = g.out('md5sum < /dev/ubdb', timeout=300)
    assert g.poweroff() == 0
    g = guest(*args).boot()
    assert g.out('md5sum < /dev/ubdb', timeout=300) == want
    code, text = g.run(fio(['long', 'random'], '--verify_only'), timeout=300)
    assert code == 0 and 'verify' not in text, text
    assert g.poweroff() == 0


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('engine', ENGINES)
def test_fio(guest, fio_image, tmp_path, engine, kind):
    """fio finds all it wrote, with deep queues and single writes, short and long."""
    run_fio(guest, fio_image, Disk(tmp_path, kind, f'{4 * PART}M'), engine, 1)


@pytest.mark.long
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('engine', ENGINES)
def test_fio_long(guest, fio_image, tmp_path, engine, kind):
    """... again and again."""
    run_fio(guest, fio_image, Disk(tmp_path, kind, f'{4 * PART}M'), engine, 20)


def test_fio_notices(guest, fio_image, tmp_path):
    """The verification of these tests can fail: one bit is turned by the host."""
    disk = Disk(tmp_path, 'raw', f'{4 * PART}M')
    args = [f'ubd0={fio_image}', disk.word, 'mem=192M']
    g = guest(*args).boot()
    assert g.run(fio(['long']), timeout=300)[0] == 0
    assert g.poweroff() == 0
    with open(disk.image, 'r+b') as f:
        f.seek((PART << 20) - 5000)
        byte = f.read(1)[0]
        f.seek((PART << 20) - 5000)
        f.write(bytes([byte ^ 1]))
    g = guest(*args).boot()
    code, text = g.run(fio(['long'], '--verify_only'), timeout=300)
    assert code != 0 and 'verify' in text, text
    assert g.poweroff() == 0
