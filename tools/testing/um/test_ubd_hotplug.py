# SPDX-License-Identifier: GPL-2.0
"""Disks that come and go while the machine runs."""

import os
from pathlib import Path

from harness import images


def hotplug(g, command):
    """What the management console would get: error number and text."""
    g.run('mount -t debugfs none /sys/kernel/debug')
    text = g.out(f"exec 3<>/sys/kernel/debug/um/hotplug; echo '{command}' >&3; cat <&3; "
                 'exec 3<&-')
    number, _, reply = text.splitlines()[-1].partition(' ')
    return int(number), reply.strip()


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
