# SPDX-License-Identifier: GPL-2.0
"""hostfs: directories of the host in the guest.

Promise: files of the host behave as files do, and both sides see the same.
"""

import hashlib
import os
import time

import pytest

from harness.hostfs import FORMAT, stat_host, storm
from harness.tap import Tap


def stat_guest(g, path):
    """The same facts from the guest."""
    return g.out(f"TZ=UTC stat -c '{FORMAT}' {path}")


def fill(folder):
    """A file of every type."""
    (folder / 'dir').mkdir()
    (folder / 'dir' / 'file').write_text('text\n', encoding='ascii')
    (folder / 'dir' / 'big').write_bytes(os.urandom(3_000_001))
    (folder / 'empty').touch(0o640)
    (folder / 'exec').touch()
    (folder / 'exec').chmod(0o4755)
    os.link(folder / 'empty', folder / 'second')
    os.symlink('dir/file', folder / 'link')
    os.mkfifo(folder / 'fifo', 0o600)
    os.utime(folder / 'empty', ns=(1, 7258118400123456789))


def test_semantics(share):
    """The program that the host and ext4 pass passes on hostfs."""
    s = share()
    code, text = s.guest.run('/tests/files /mnt nosetid', timeout=120)
    Tap(text).check()
    assert code == 0
    assert not list(s.dir.iterdir())
    s.end()


def test_semantics_suid(share, tmp_path):
    """... set-id bits and devices included, if the host user says so."""
    s = share(root=f'{tmp_path / "share"},suid,dev')
    code, text = s.guest.run('/tests/files /mnt', timeout=120)
    tap = Tap(text)
    tap.check()
    assert code == 0
    assert os.getuid() or not [t for t in tap.skipped if 'device' in t or 'owners' in t]
    s.end()


@pytest.mark.parametrize('options', ['cache=loose', 'calls=threads'])
def test_semantics_options(share, options):
    """... whatever is cached, and whoever makes the calls."""
    s = share(options)
    code, text = s.guest.run('/tests/files /mnt nosetid', timeout=120)
    Tap(text).check()
    assert code == 0
    s.end()


@pytest.mark.parametrize('options', ['', 'mapped'])
def test_acls(share, options):
    """POSIX ACLs do what the host's do; the host has them as such, or as other attributes."""
    s = share(options)
    g = s.guest
    code, text = g.run('/tests/acl /mnt', timeout=60)
    tap = Tap(text)
    tap.check()
    assert code == 0 and len(tap.passed) > 30
    g.out('touch /mnt/f; /tests/acl /mnt keep')
    prefix = 'user.virtfs.' if options == 'mapped' else ''
    names = os.listxattr(s.path('kept'))
    assert f'{prefix}system.posix_acl_access' in names
    assert len([n for n in names if 'posix_acl' in n]) == 1
    if not options:
        # The host changes its mind, the guest hears of it.
        assert g.out('su -s /bin/sh nobody -c "cat /mnt/kept" 2>&1; true').endswith('denied')
        os.removexattr(s.path('kept'), 'system.posix_acl_access')
        os.chmod(s.path('kept'), 0o604)
        assert g.out('su -s /bin/sh nobody -c "cat /mnt/kept"') == ''
    s.end()


def test_same_facts(share, tmp_path):
    """stat of files that the host made, and that the guest made."""
    (tmp_path / 'share').mkdir()
    fill(tmp_path / 'share')
    s = share()
    names = ['dir', 'dir/file', 'dir/big', 'empty', 'second', 'exec', 'link', 'fifo']
    for name in names:
        assert stat_guest(s.guest, f'/mnt/{name}') == stat_host(s.path(name)), name
    want = hashlib.md5(s.path('dir/big').read_bytes()).hexdigest()
    assert s.guest.out('md5sum < /mnt/dir/big').split()[0] == want
    s.guest.out('cd /mnt; mkdir new; echo guest > new/file; ln new/file new/second;'
                'ln -s file new/link; mkfifo new/fifo; cp dir/big new/big; chmod 4711 new/big;'
                'touch -d 2001-02-03 new/second; cd /')
    for name in ['new', 'new/file', 'new/second', 'new/link', 'new/fifo', 'new/big']:
        assert stat_guest(s.guest, f'/mnt/{name}') == stat_host(s.path(name)), name
    assert hashlib.md5(s.path('new/big').read_bytes()).hexdigest() == want
    assert s.path('new/file').read_text(encoding='ascii') == 'guest\n'
    s.end()


def test_mount_forms(share):
    """The ways in which a directory is named, by mount(2) and by fsconfig(2)."""
    s = share(None)
    for name in ('a', 'a/b', 'c,d', 'e=f'):
        s.path(name).mkdir()
        (s.path(name) / 'here').write_text(name, encoding='ascii')
    g = s.guest
    g.out('mkdir -p /tmp/m')
    for options, name in (('/a', 'a'), ('a', 'a'), ('/a/b', 'a/b'), ('a/b/', 'a/b'),
                          ('hostfs=/a/b', 'a/b'), ('ro,/a', 'a'), ('/a,ro', 'a'),
                          ('/e=f', 'e=f'), ('hostfs=a,cache=loose,timeout=3', 'a')):
        g.out(f"mount -t hostfs none /tmp/m -o '{options}'")
        assert g.out('cat /tmp/m/here') == name, options
        line = g.out('grep " /tmp/m " /proc/mounts')
        assert line.startswith(f'none /tmp/m hostfs r{"o" if "ro" in options else "w"},relatime,'
                               f'{s.dir}/{name.rstrip("/")}'), line
        g.out('umount /tmp/m')
    for words, name in (('flag:/a', 'a'), ('flag:a/b', 'a/b'), ('hostfs=/a', 'a'),
                        ('hostfs=/c,d', 'c,d'), ('/e=f', 'e=f'), ('flag:ro flag:/a', 'a')):
        g.out(f"/tests/fsmount hostfs /tmp/m {words}")
        assert g.out('cat /tmp/m/here') == name, words
        g.out('umount /tmp/m')
    s.end()


def test_mount_errors(share):
    """What can't be mounted, and that it is said why."""
    s = share(None)
    s.path('file').touch()
    g = s.guest
    for options, why in (('/nothing', 'error 2'), ('/file', 'error 20'), ('cache=maybe', 'cache'),
                         ('/a,/b', 'given already'), ('timeout=x', 'timeout')):
        assert g.run(f'mount -t hostfs none /mnt -o {options}')[0] != 0, options
        assert why in g.out('dmesg | grep hostfs | tail -n 2'), options
    s.end()


def test_module_names(share):
    """hostfs is in the list, and its magic number is the known one."""
    s = share()
    assert 'hostfs' in s.guest.out('cat /proc/filesystems')
    assert s.guest.out('stat -f -c %t /mnt') == 'c0ffee'
    s.end()


def test_append(share, tmp_path):
    """hostfs=<dir>,append: files grow, nothing goes."""
    (tmp_path / 'share').mkdir()
    (tmp_path / 'share' / 'log').write_text('one\n', encoding='ascii')
    s = share(root=f'{tmp_path / "share"},append')
    g = s.guest
    assert f'{s.dir},append' in g.out('grep hostfs /proc/mounts')
    g.out('echo two >> /mnt/log')
    g.out('echo three > /mnt/log')	# truncation is ignored
    g.out('dd if=/dev/zero of=/mnt/log bs=1 count=2 conv=notrunc 2>/dev/null')
    assert g.run('rm /mnt/log')[0] != 0
    assert g.run('truncate -s 0 /mnt/log; fallocate -p -o 0 -l 4096 /mnt/log')[0] != 0
    g.out('echo new > /mnt/other')
    assert g.run('mv -f /mnt/other /mnt/log')[0] != 0
    g.out('mv /mnt/other /mnt/renamed')
    assert g.out('cat /mnt/log | head -n 3').split() == ['one', 'two', 'three']
    s.end()
    assert s.path('log').read_bytes() == b'one\ntwo\nthree\n\0\0'
    assert s.path('renamed').read_text(encoding='ascii') == 'new\n'


# Both sides at work

def test_host_edits(share):
    """What the host changes, makes, removes and renames is seen at once."""
    s = share()
    g = s.guest
    f = s.path('f')
    f.write_text('one', encoding='ascii')
    assert g.out('cat /mnt/f') == 'one'
    f.write_text('two', encoding='ascii')	# same size
    assert g.out('cat /mnt/f') == 'two'
    f.write_text('longer text', encoding='ascii')
    assert g.out('cat /mnt/f') == 'longer text'
    f.write_text('s', encoding='ascii')
    assert g.out('cat /mnt/f; stat -c %s /mnt/f') == 's1'
    assert g.run('ls /mnt/later')[0] != 0
    s.path('later').mkdir()
    g.out('ls /mnt/later')
    (s.path('later') / 'x').touch()
    assert g.out('ls /mnt/later') == 'x'
    os.rename(s.path('later'), s.path('moved'))
    assert g.run('ls /mnt/later')[0] != 0
    assert g.out('ls /mnt/moved') == 'x'
    os.rename(f, s.path('g'))
    f.write_text('another', encoding='ascii')
    assert g.out('cat /mnt/f') == 'another'
    assert g.out('cat /mnt/g') == 's'
    os.chmod(f, 0o604)
    assert g.out('stat -c %a /mnt/f') == '604'
    os.unlink(f)
    assert g.run('cat /mnt/f')[0] != 0
    # While it is open.
    log = s.path('log')
    log.write_text('a\n', encoding='ascii')
    g.out('tail -f /mnt/log > /tmp/tail & sleep 1')
    with open(log, 'a', encoding='ascii') as out:
        out.write('b\n')
    time.sleep(2.5)
    assert g.out('cat /tmp/tail').split() == ['a', 'b']
    g.out('kill %1')
    s.end()


def test_loose(share):
    """cache=loose: believed for the time that was asked for, not for ever."""
    s = share('cache=loose,timeout=4')
    g = s.guest
    s.path('f').write_text('one', encoding='ascii')
    assert g.out('cat /mnt/f') == 'one'
    s.path('f').write_text('three', encoding='ascii')
    time.sleep(5)
    assert g.out('cat /mnt/f') == 'three'
    s.end()


def test_written_at_close(share):
    """In strict mode the host has the data when the guest has closed the file."""
    s = share()
    g = s.guest
    for i in range(20):
        g.out(f'echo {i} > /mnt/f')
        assert s.path('f').read_text(encoding='ascii') == f'{i}\n'
    s.end()


def test_many_entries(share):
    """100 000 entries are listed, by few descriptors."""
    s = share()
    d = s.path('many')
    d.mkdir()
    for i in range(100_000):
        os.close(os.open(d / str(i), os.O_CREAT | os.O_WRONLY))
    g = s.guest
    assert g.out('find /mnt/many | wc -l', timeout=120) == '100001'
    assert g.out('find /mnt/many -size 0 | wc -l', timeout=120) == '100000'
    used = len(os.listdir(f'/proc/{g.pid}/fd'))
    assert used < 1000, used
    g.out('chmod 600 /mnt/many/9*', timeout=120)
    g.out('rm -rf /mnt/many', timeout=300)
    assert not d.exists()
    s.end()


def test_direct(share):
    """O_DIRECT reaches the host's file, or is refused by it; caches don't disagree."""
    s = share()
    g = s.guest
    data = os.urandom(1 << 20)
    s.path('f').write_bytes(data)
    code, text = g.run('dd if=/mnt/f of=/tmp/f bs=64k iflag=direct && md5sum < /tmp/f')
    if code and 'Invalid argument' in text:
        pytest.skip("the host's file system has no O_DIRECT")
    assert hashlib.md5(data).hexdigest() in text
    g.out('cat /mnt/f > /dev/null; dd if=/dev/zero of=/mnt/f bs=4k seek=3 count=2 oflag=direct'
          ' conv=notrunc 2>/dev/null')
    want = data[:12288] + bytes(8192) + data[20480:]
    assert s.path('f').read_bytes() == want
    assert g.out('md5sum < /mnt/f').split()[0] == hashlib.md5(want).hexdigest()
    s.end()


# Random work

def test_fsx(share):
    """Random operations on a file agree with a model, in all cache modes."""
    s = share()
    for seed in (1, 2):
        code, text = s.guest.run(f'/tests/fsx /mnt/x --ops 3000 --seed {seed}', timeout=300)
        assert code == 0, text
    s.guest.out('mkdir /tmp/l; mount -t hostfs none /tmp/l -o cache=loose,calls=threads')
    code, text = s.guest.run('/tests/fsx /tmp/l/y --ops 3000 --seed 3', timeout=300)
    assert code == 0, text
    s.guest.out('umount /tmp/l')
    s.end()


@pytest.mark.long
def test_fsx_long(share):
    """... for long."""
    s = share()
    for seed in range(10, 20):
        code, text = s.guest.run(f'/tests/fsx /mnt/x --ops 100000 --seed {seed}', timeout=3600)
        assert code == 0, text
    s.end()


def test_storm(share):
    """Everything at once on one tree."""
    s = share()
    storm(s, 3000, 1)
    s.end()


@pytest.mark.long
def test_storm_long(share):
    """... for long, also when calls are made by threads."""
    s = share('calls=threads')
    storm(s, 20000, 7)
    s.end()
