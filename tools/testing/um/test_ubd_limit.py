# SPDX-License-Identifier: GPL-2.0
"""ubd: rate limits."""

from harness import images


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
