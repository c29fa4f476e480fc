# SPDX-License-Identifier: GPL-2.0
"""ubd: what the guest frees is free on the host."""

import os
import subprocess
import time

import pytest

from harness import images
from harness.disk import blocks


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
