# SPDX-License-Identifier: GPL-2.0
"""hostfs: directories of the host in the guest.

Promise: files of the host behave as files do, both sides see the same, and
no guest gets out of the directory of hostfs=.
"""

import ctypes
import hashlib
import os
import stat
import subprocess
import time
from pathlib import Path

import pytest

from harness import programs
from harness.hostfs import Share, stat_host, FORMAT
from harness.paths import KERNEL
from harness.tap import Tap


@pytest.fixture
def share(image, tmp_path, request):
    """Make shares: share(options, ...) has a directory mounted at /mnt."""
    made = []

    def make(options='', **kwargs):
        kwargs.setdefault('name', f'hostfs-{request.node.name}')
        s = Share(image, tmp_path, options, **kwargs)
        made.append(s)
        return s

    yield make
    for s in made:
        s.guest.close(check=False)


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


# Confinement

SECRET = 'the-secret-of-the-host'


@pytest.fixture
def jail(share, tmp_path):
    """A share below a directory that holds what no guest may see."""
    (tmp_path / 'outside').mkdir()
    (tmp_path / 'outside' / 'secret').write_text(SECRET, encoding='ascii')
    (tmp_path / 'share').mkdir()
    return share


def test_escape_dots(jail, tmp_path):
    """-o .. and paths with dots stay inside."""
    s = jail(None)
    s.path('inside').mkdir()
    g = s.guest
    for path in ('..', '../..', '/..', '../outside', 'inside/../../outside',
                 '/../../../../../../..', './../outside', 'inside/..'):
        code, _ = g.run(f'mount -t hostfs none /mnt -o {path}')
        if code == 0:
            assert g.out('ls /mnt') == 'inside', path
            g.out('umount /mnt')
    g.out('mount -t hostfs none /mnt')
    assert SECRET not in g.run('cat /mnt/../outside/secret /mnt/inside/../../outside/secret')[1]
    s.end()
    assert (tmp_path / 'outside' / 'secret').read_text(encoding='ascii') == SECRET


def test_escape_links(jail, tmp_path):
    """Links, as mount options and as files, lead nowhere outside."""
    s = jail(None)
    outside = tmp_path / 'outside'
    os.symlink(outside, s.path('absolute'))
    os.symlink('../outside', s.path('relative'))
    os.symlink('/proc/self/root', s.path('magic'))
    os.symlink('/proc/self/cwd', s.path('cwd'))
    os.symlink(f'/proc/{os.getpid()}/root{outside}', s.path('other'))
    g = s.guest
    for name in ('absolute', 'relative', 'magic', 'cwd', 'other', 'relative/secret',
                 f'magic{outside}'):
        code, _ = g.run(f'mount -t hostfs none /mnt -o {name}')
        if code == 0:
            assert 'secret' not in g.out('ls /mnt'), name
            g.out('umount /mnt')
    g.out('mount -t hostfs none /mnt')
    for name in ('absolute/secret', 'relative/secret', f'magic{outside}/secret',
                 f'other/{outside}/secret', 'other/secret'):
        assert SECRET not in g.run(f'cat /mnt/{name}')[1], name
    g.run('echo broken > /mnt/absolute/secret; echo broken > /mnt/relative/secret;'
          'rm -rf /mnt/absolute /mnt/relative; chmod 777 /mnt/magic')
    s.end()
    assert (outside / 'secret').read_text(encoding='ascii') == SECRET


def test_escape_races(jail, tmp_path):
    """Names that are swapped with links, by the host and by the guest, while used."""
    s = jail()
    outside = tmp_path / 'outside'
    s.path('real').mkdir()
    (s.path('real') / 'secret').write_text('harmless', encoding='ascii')
    os.symlink(outside, s.path('evil'))
    g = s.guest
    g.out('(while [ ! -e /tmp/stop ]; do cat /mnt/real/secret; echo x > /mnt/real/mine;'
          ' stat /mnt/real/secret; chmod 600 /mnt/real/secret; done > /tmp/log 2>&1) &'
          ' (while [ ! -e /tmp/stop ]; do mount -t hostfs none /root -o /real && cat /root/secret'
          ' && umount /root; done > /tmp/log2 2>&1) & true')
    exchange = [str(tmp_path / 'exchange'), str(s.path('real')), str(s.path('evil')), '4000']
    subprocess.run(['gcc', '-D_GNU_SOURCE', '-x', 'c', '-', '-o', exchange[0]], check=True,
                   text=True, input='''
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	for (int i = 0; i < 2 * atoi(argv[3]); i++) {
		if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE))
			return 1;
		usleep(i % 300);
	}
	return 0;
}
''')
    subprocess.run(exchange, check=True, timeout=100)
    g.out('touch /tmp/stop; sleep 1; mv -T /mnt/real /mnt/away; mv -T /mnt/evil /mnt/real;'
          'cat /mnt/real/secret >> /tmp/log 2>&1; true')
    text = g.out('sort /tmp/log /tmp/log2 | uniq -c | sort -n | tail -n 30')
    assert SECRET not in text and 'harmless' in text
    assert g.run(f'grep -q {SECRET} /tmp/log /tmp/log2')[0] != 0
    s.end()
    assert (outside / 'secret').read_text(encoding='ascii') == SECRET
    assert (outside / 'secret').stat().st_mode & 0o777 == 0o644
    assert os.listdir(outside) == ['secret']


def test_escape_moved_parent(jail, tmp_path):
    """A directory that the host moves out: its old place is empty for the guest."""
    s = jail()
    (s.path('a') / 'b').mkdir(parents=True)
    g = s.guest
    g.out('ls /mnt/a/b; (cd /mnt/a/b; sleep 3; cat ../../outside/secret ../../../secret > /tmp/log'
          ' 2>&1; ls .. >> /tmp/log) & true')
    os.rename(s.path('a') / 'b', tmp_path / 'outside' / 'b')
    assert g.run('ls /mnt/a/b')[0] != 0
    assert g.out('ls /mnt/a') == ''
    time.sleep(4)
    assert SECRET not in g.out('cat /tmp/log; true')
    s.end()


def test_escape_handles(jail):
    """File handles made up by the guest open nothing."""
    s = jail()
    s.path('file').write_text('x', encoding='ascii')
    code, text = s.guest.run('/tests/badhandle /mnt/file')
    assert code == 0, text
    s.end()


def test_escape_special_files(jail, tmp_path):
    """Devices and FIFOs of the host are the guest's when they are opened."""
    s = jail()
    os.mkfifo(s.path('fifo'))
    try:
        os.mknod(s.path('mem'), 0o20666, os.makedev(1, 3))
        os.mknod(s.path('disk'), 0o60666, os.makedev(240, 77))
    except PermissionError:
        pass
    g = s.guest
    # A reader on the host's side must not hear a writer on the guest's.
    reader = os.open(s.path('fifo'), os.O_RDONLY | os.O_NONBLOCK)
    g.out('(echo from-guest > /mnt/fifo) & sleep 1; timeout 5 cat /mnt/fifo > /tmp/got; wait')
    assert g.out('cat /tmp/got') == 'from-guest'
    assert os.read(reader, 100) == b''
    os.close(reader)
    if s.path('mem').exists():
        g.out('echo x > /mnt/mem')
        assert g.run('dd if=/mnt/disk of=/dev/null count=1')[0] != 0
    # Swapped while it is opened.
    s.path('f').write_text('x', encoding='ascii')
    g.out('(while [ ! -e /tmp/stop ]; do timeout 1 dd if=/mnt/f of=/dev/null iflag=nonblock;'
          ' done > /dev/null 2>&1) & true')
    for _ in range(300):
        os.unlink(s.path('f'))
        os.mkfifo(s.path('f'))
        fd = os.open(s.path('f'), os.O_RDONLY | os.O_NONBLOCK)
        os.close(fd)
        os.unlink(s.path('f'))
        s.path('f').write_text('x', encoding='ascii')
    g.out('touch /tmp/stop; sleep 1')
    s.end()


def test_escape_hard_links(jail, tmp_path):
    """link() can't fetch what lies outside."""
    s = jail()
    os.symlink('../outside/secret', s.path('l'))
    g = s.guest
    g.out('ln /mnt/l /mnt/hard')
    assert os.path.islink(s.path('hard'))
    assert g.run('ln -L /mnt/l /mnt/hard2')[0] != 0
    assert (tmp_path / 'outside' / 'secret').stat().st_nlink == 1
    s.end()


def planted(folder):
    """What gives who uses it more rights than he has."""
    found = []
    for path in sorted(folder.rglob('*')):
        st = path.lstat()
        if stat.S_ISREG(st.st_mode) and st.st_mode & 0o6000:
            found.append(path.name)
        if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
            found.append(path.name)
        if 'security.capability' in os.listxattr(path, follow_symlinks=False):
            found.append(path.name)
    return found


@pytest.mark.parametrize('options, flags', [('', ''), ('mapped', ''), ('mapped', ',suid,dev'),
                                            ('', ',suid,dev')])
def test_planted(share, tmp_path, options, flags):
    """The guest's root can't make programs with the host user's rights; who may, can."""
    (tmp_path / 'share').mkdir()
    for i in range(6):
        path = tmp_path / 'share' / f'mine-{i}'
        path.write_bytes(b'good' * 2000)
        path.chmod(0o6755)
    s = share(options, root=f'{tmp_path / "share"}{flags}')
    s.guest.out('/tests/plant /mnt')
    s.end()
    evil = [n for n in planted(s.dir) if s.path(n).read_bytes() != b'good' * 2000] \
        if not flags or options else planted(s.dir)
    if flags and not options:
        assert {'open', 'fchmod', 'chmod', 'mknod', 'tmpfile', 'mine-4'} <= set(evil)
        if not os.getuid():
            assert {'caps', 'null', 'disk'} <= set(evil)
    else:
        assert not evil
        assert 'mine-5' in planted(s.dir)
        assert s.path('mine-0').read_bytes().startswith(b'evil')


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


def storm(s, ops, seed):
    """Run the storm; both sides must agree about what is left of the tree."""
    code, text = s.guest.run(f'/tests/fstorm /mnt --ops {ops} --seed {seed}', timeout=3600)
    assert code == 0, text
    s.guest.out('/tests/fstorm /mnt --digest > /tmp/digest')
    want = subprocess.run([programs.PROGRAMS / 'fstorm', s.dir, '--digest'], check=True,
                          capture_output=True, text=True).stdout
    assert s.guest.out('cat /tmp/digest') == want.strip()


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


# Hosts that don't do as one likes

@pytest.fixture
def deaf(tmp_path):
    """A directory, share/deaf, of a FUSE server that never answers."""
    if os.getuid() or not os.path.exists('/dev/fuse'):
        pytest.skip('needs root and FUSE')
    (tmp_path / 'share').mkdir()
    where = tmp_path / 'share' / 'deaf'
    where.mkdir()
    fd = os.open('/dev/fuse', os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f'fd={fd},rootmode=40000,user_id=0,group_id=0'.encode()
    if libc.mount(b'deaf', os.fsencode(where), b'fuse', 0, options):
        os.close(fd)
        pytest.skip(f'cannot mount FUSE: {os.strerror(ctypes.get_errno())}')
    closed = []

    def end():
        """Who waits is told that the server is gone."""
        if not closed:
            closed.append(os.close(fd))

    yield end
    end()
    subprocess.run(['umount', '-l', where], check=False)


@pytest.mark.parametrize('options', ['', 'calls=threads', 'mapped', 'cache=loose'])
def test_deaf_server(deaf, share, options):
    """A server that never answers: many who ask it wait, the others go on."""
    s = share(options)
    g = s.guest
    s.path('file').write_text('x', encoding='ascii')
    s.path('dir').mkdir()
    g.out('for i in $(seq 100); do (ls /mnt/deaf/$i > /tmp/ls 2>&1; echo ended >> /tmp/ls) & done;'
          ' true')
    g.out('mkdir /tmp/m; (mount -t hostfs none /tmp/m -o /deaf; echo ended >> /tmp/m.log) & true')
    time.sleep(1)
    for i in range(5):
        assert g.out('cat /mnt/file; echo /mnt/*') == 'x/mnt/deaf /mnt/dir /mnt/file'
        g.out(f'dd if=/dev/zero of=/mnt/dir/{i} bs=64k count=40 conv=fsync; sync /mnt/dir/{i};'
              f' cat /mnt/dir/{i} > /dev/null; find /mnt/dir | wc -l; rm /mnt/dir/{i}')
    assert 'ended' not in g.out('cat /tmp/ls; cat /tmp/m.log 2>/dev/null; true')
    deaf()
    g.out('wait')
    assert 'ended' in g.out('cat /tmp/ls')
    g.out('rmdir /mnt/dir')
    s.end()


def test_few_descriptors(image, tmp_path):
    """With 64 descriptors the guest still walks 3000 directories and keeps 20 files open."""
    (tmp_path / 'share').mkdir()
    for i in range(3000):
        (tmp_path / 'share' / f'd{i}' / 'sub').mkdir(parents=True)
    s = Share(image, tmp_path, raw=True, kernel='/usr/bin/prlimit', prefix=['--nofile=64:64', KERNEL],
              name='hostfs-few')
    try:
        g = s.guest
        assert g.out('find /mnt -type d | wc -l', timeout=100) == '6001'
        g.out('find /mnt -type d -exec chmod 700 {} +', timeout=100)
        text = g.out('sh -c \'cd /mnt/d7/sub; for i in $(seq 10 25); do eval "exec $i>f$i"; done;'
                     ' find /mnt -name "f1*" > /dev/null; pwd; ls | wc -l\'', timeout=100)
        assert text.split() == ['/mnt/d7/sub', '16']
        # More than there are: some fail, and nothing else does.
        code, text = g.run('for i in $(seq 80); do sleep 100 < /mnt/d$i/sub & done; true',
                           timeout=100)
        assert code == 0 and 'Too many open files' in text
        g.run('kill $(jobs -p); wait')  # also those that are no sleep yet
        assert g.out('ls /mnt | wc -l') == '3000'
        s.end()
    finally:
        s.guest.close(check=False)


@pytest.fixture
def few(share):
    """few(n, options): a share of a kernel that may have n descriptors."""
    return lambda n, options='': share(options, prefix=[f'--nofile={n}:{n}', KERNEL], raw=True,
                                       kernel='/usr/bin/prlimit')


@pytest.mark.parametrize('options', ['', 'mapped'])
def test_unopened_files(few, options):
    """Files that are made and never opened, or lose a name while open, keep no descriptors."""
    s = few(256, options)
    fds = Path(f'/proc/{s.guest.pid}/fd')
    before = len(list(fds.iterdir()))
    s.guest.out('/tests/unopened /mnt 500', timeout=60)
    assert len(list(s.dir.iterdir())) == 1000
    assert len(list(fds.iterdir())) < before + 100
    s.end()


@pytest.mark.parametrize('options', ['', 'mapped', 'calls=threads'])
def test_no_descriptors(few, options):
    """When there are none left what is made is there, and what is not made is not."""
    s = few(80, options)
    code, text = s.guest.run('/tests/nofiles /mnt', timeout=60)
    assert code == 0, text
    assert s.guest.out('rm -rf /mnt/*; ls /mnt') == ''
    s.end()


@pytest.mark.parametrize('options', ['', 'mapped,calls=threads'])
def test_storm_few_descriptors(few, options):
    """Everything at once while descriptors come and go."""
    s = few(100, options)
    if options:
        # Both sides see other modes and types then.
        code, text = s.guest.run('/tests/fstorm /mnt --ops 3000 --seed 5', timeout=600)
        assert code == 0, text
    else:
        storm(s, 3000, 5)
    s.end()


def test_full_disk(image, tmpfs, tmp_path):
    """The host's file system is full: an error of write, fsync or close."""
    tmpfs('1m', 'share')
    s = Share(image, tmp_path, name='hostfs-full')
    try:
        g = s.guest
        assert g.run('dd if=/dev/zero of=/mnt/big bs=64k count=64 conv=fsync')[0] != 0
        assert g.run('cp /bin/busybox /mnt/a && cp /bin/busybox /mnt/b')[0] != 0
        g.out('rm /mnt/*; echo fits > /mnt/small')
        assert s.path('small').read_text(encoding='ascii') == 'fits\n'
        s.end()
    finally:
        s.guest.close(check=False)


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
