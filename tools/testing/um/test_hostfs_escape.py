# SPDX-License-Identifier: GPL-2.0
"""hostfs: what a guest finds no way out of.

Promise: no guest gets out of the directory of hostfs=, whoever swaps what lies in it meanwhile,
and none leaves there what has the host user's rights.
"""

import os
import stat
import subprocess
import time

import pytest

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
