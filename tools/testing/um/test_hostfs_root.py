# SPDX-License-Identifier: GPL-2.0
"""hostfs as the root file system, without rights on the host, and as a module."""

import os
import shutil
import stat
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import images
from harness.guest import Guest
from harness.hostfs import NOBODY, Share, ordinary_user
from harness.kbuild import Build
from harness.paths import KERNEL, TOP
from harness.tap import Tap


@pytest.fixture
def place(busybox):
    """A folder with an image for somebody without rights."""
    if os.getuid():
        pytest.skip('only root can become somebody else')
    folder = Path(tempfile.mkdtemp(prefix='umt-hostfs-'))
    folder.chmod(0o777)
    image = Path(images.copy(busybox, folder / 'root.img'))
    image.chmod(0o666)
    yield folder
    shutil.rmtree(folder)


def unpack(image, folder):
    """The files of an image in a folder. Owners and modes are kept if we are root."""
    folder.mkdir()
    subprocess.run(['/sbin/debugfs', '-R', f'rdump / {folder}', image], check=True,
                   capture_output=True)
    return folder


@pytest.fixture
def tree(busybox, tmp_path):
    """The busybox system as a directory, with a file beside it."""
    (tmp_path / 'secret').write_text('host', encoding='ascii')
    tree = unpack(busybox, tmp_path / 'root')
    (tree / 'etc' / 'fstab').write_text('/dev/ubd/0 / hostfs defaults 1 1\n', encoding='ascii')
    return tree


# Roots

@pytest.mark.parametrize('words', [
    'ubd0={}', 'ubda={}', 'ubd0={} rw', 'root=/dev/root rootfstype=hostfs hostfs={} rw',
    'root=/dev/root rootfstype=hostfs rootflags={} rw',
    'root=/dev/root rootfstype=hostfs rootflags=hostfs={},cache=loose rw'])
def test_root(guest, tree, words):
    """A system starts from a directory, and can be written."""
    g = guest(*words.format(tree).split(), 'mem=128M').boot()
    line = g.out('grep " / hostfs" /proc/mounts')
    assert str(tree) in line
    g.out('mount -o remount,rw /; echo made > /root/file; rm -f /tmp/x')
    assert (tree / 'root' / 'file').read_text(encoding='ascii') == 'made\n'
    if 'rootflags' not in words:
        assert g.run('mount -t hostfs none /mnt -o .. && ls /mnt/secret')[0] != 0
    assert g.poweroff() == 0


def test_root_relative(guest, tree):
    """The directory may be named relative to where the kernel is started."""
    g = guest(f'ubd0={tree.name}', 'mem=128M', cwd=tree.parent, keep='.*').boot()
    assert g.poweroff() == 0


def test_root_refused(guest):
    """The host's own / is not taken for a root that nobody named."""
    g = guest('root=/dev/root', 'rootfstype=hostfs', 'mem=64M')
    g.expect('which directory is the root', panic_ok=True)
    assert g.wait_exit() != 0


@pytest.mark.parametrize('word, why', [
    ('hostfs=/nowhere', 'No such file'), ('hostfs=', 'needs a directory'),
    ('hostfs=/etc/passwd', 'Not a directory'), ('hostfs=/tmp,ro', 'unsupported option - ro'),
    ('hostfs=/tmp,append,x', 'unsupported option - x'), ('hostfs=/tmp,,append', 'unsupported')])
def test_bad_options(word, why):
    """One line that says what is wrong, and exit code 1."""
    done = subprocess.run([KERNEL, 'mem=64M', word], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 1
    assert why in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.debian
@pytest.mark.xdist_group('debian')
def test_debian(guest, tmp_path):
    """Debian with systemd boots from a directory to a login, and nothing fails."""
    if os.getuid():
        pytest.skip('unpacking a system needs root')
    tree = unpack(images.debian('minimal', include='gcc,libc6-dev,gdb,strace,python3,e2fsprogs'),
                  tmp_path / 'root')
    (tree / 'etc' / 'fstab').write_text('/dev/ubd/0 / hostfs defaults 1 1\n', encoding='ascii')
    g = guest(f'ubd0={tree}', 'mem=512M').login()
    assert '0 loaded units' in g.out('systemctl --failed --no-pager')
    assert '/dev/root / hostfs rw' in g.out('cat /proc/mounts')
    g.out('dpkg --verify coreutils; touch /root/made')
    assert (tree / 'root' / 'made').exists()
    assert g.poweroff('poweroff', timeout=180) == 0


# Without rights

def test_ordinary_user(place):
    """A plain mount: the guest has its user's rights, and is told no more."""
    s = Share(place / 'root.img', place, user=True)
    g = s.guest
    code, text = g.run('/tests/files /mnt', timeout=120)
    Tap(text).check()
    assert code == 0
    foreign = s.path('foreign')
    foreign.write_text('root only', encoding='ascii')
    foreign.chmod(0o600)
    assert g.run('cat /mnt/foreign')[0] != 0
    # busybox' own "test" knows that root may read all, and asks nobody.
    for how in ('-r', '-w', '-x'):
        assert g.run(f"/tests/sh -c 'test {how} /mnt/foreign'")[0] != 0, how
        assert g.run(f"/tests/sh -c 'test {how} /mnt'")[0] == 0, how
    foreign.chmod(0o644)
    assert g.run("/tests/sh -c 'test -r /mnt/foreign'")[0] == 0
    assert g.run("/tests/sh -c 'test -w /mnt/foreign'")[0] != 0
    assert g.run('touch /mnt/mine && chown 0:0 /mnt/mine')[0] != 0
    assert g.run('mknod /mnt/null c 1 3')[0] != 0
    assert s.path('mine').stat().st_uid == NOBODY
    assert g.out('stat -c %u /mnt/mine') == str(NOBODY)
    s.end()


def mapped_facts(path):
    """(mode, uid, gid, rdev) as QEMU's 9p server would read them."""
    def number(name, form):
        return struct.unpack(form, os.getxattr(path, f'user.virtfs.{name}'))[0]

    mode = number('mode', '<I')
    device = number('rdev', '<Q') if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else None
    return mode, number('uid', '<I'), number('gid', '<I'), device


def test_mapped(place):
    """mapped: guest root owns, gives away and makes everything, with no rights on the host."""
    s = Share(place / 'root.img', place, 'mapped', user=True)
    g = s.guest
    code, text = g.run('/tests/files /mnt', timeout=120)
    Tap(text).check()
    assert code == 0
    code, text = g.run('/tests/acl /mnt', timeout=60)
    Tap(text).check()
    assert code == 0
    g.out('cd /mnt; echo x > f; chown 12:34 f; chmod 4751 f; mknod null c 1 3; mknod d b 7 1;'
          'mkfifo p; ln -s /target/of/it l; mkdir -m 2775 dir; chown 5:6 dir; chown -h 7:8 l; cd /')
    assert mapped_facts(s.path('f')) == (0o104751, 12, 34, None)
    assert mapped_facts(s.path('null')) == (0o20644, 0, 0, os.makedev(1, 3))
    assert mapped_facts(s.path('d')) == (0o60644, 0, 0, os.makedev(7, 1))
    assert mapped_facts(s.path('p'))[0] == 0o10644
    assert mapped_facts(s.path('l')) == (0o120777, 7, 8, None)
    assert s.path('l').read_bytes() == b'/target/of/it'
    assert mapped_facts(s.path('dir')) == (0o42775, 5, 6, None)
    for name in ('f', 'null', 'd', 'p', 'l'):
        st = s.path(name).lstat()
        assert stat.S_IMODE(st.st_mode) == 0o600 and stat.S_ISREG(st.st_mode), name
        assert st.st_uid == NOBODY
    # A new mount has it all from the host.
    g.out('umount /mnt; mount -t hostfs none /mnt -o mapped')
    assert g.out("cd /mnt; stat -c '%a %u %g %F %t:%T' f null dir p; readlink l; cd /") == \
        '\n'.join(['4751 12 34 regular file 0:0', '644 0 0 character special file 1:3',
                   '2775 5 6 directory 0:0', '644 0 0 fifo 0:0', '/target/of/it'])
    g.out('echo gone > /mnt/null; test ! -s /mnt/null')
    # By what the mapping works is out of reach.
    g.put('/tmp/x.py', '')
    code, text = g.run('/tests/mapattack /mnt/f')
    assert code == 0, text
    assert mapped_facts(s.path('f')) == (0o104751, 12, 34, None)
    s.end()


def test_mapped_debian_style_tree(place):
    """A system unpacked in a mapped tree by the guest starts from it, all without rights."""
    s = Share(place / 'root.img', place, 'mapped', user=True)
    g = s.guest
    g.out('mkdir /mnt/root; cd /; tar -cpf - bin dev etc home lib* root sbin tests usr var '
          '| tar -xpf - -C /mnt/root; cd /mnt/root; mkdir proc sys tmp run mnt; chown 1000 home;'
          ' echo "/dev/ubd/0 / hostfs defaults 1 1" > etc/fstab; cd /', timeout=300)
    s.end()
    args, more = ordinary_user(place, 'root=/dev/root', 'rootfstype=hostfs', 'mem=256M',
                               f'hostfs={s.dir}/root', 'rootflags=mapped', 'rw')
    with Guest(*args, name='mapped-root', **more) as g:
        g.boot()
        assert g.out('stat -c %u /home /etc').split() == ['1000', '0']
        assert 'hostfs' in g.out('grep " / " /proc/mounts | tail -n 1')
        g.out('touch /root/x; chown 77 /root/x')
        assert g.poweroff() == 0
    assert mapped_facts(s.path('root') / 'root' / 'x')[1] == 77


def test_mapped_needs_xattrs(place):
    """A host file system without user attributes is refused by name."""
    s = Share(place / 'root.img', place, None, user=True, root='/proc')
    assert s.guest.run('mount -t hostfs none /mnt -o mapped')[0] != 0
    assert 'has no user xattrs' in s.guest.out('dmesg | tail -n 3')
    s.end()


HUMFS = TOP / 'tools' / 'um' / 'uml_humfs'


def humfs(top, version):
    """A tree as humfs left it; returns its folder of files."""
    data = top / 'data'
    (data / 'etc').mkdir(parents=True)
    (data / 'dev').mkdir()
    for name, text in (('etc/passwd', 'root\n'), ('etc/shadow', 'x\n'), ('dev/null', '')):
        (data / name).write_text(text, encoding='ascii')
    os.link(data / 'etc' / 'passwd', data / 'etc' / 'passwd-')
    os.symlink('passwd', data / 'etc' / 'l')
    os.link(data / 'etc' / 'l', data / 'etc' / 'l2', follow_symlinks=False)
    (data / 'etc' / 'shadow').chmod(0o440)
    meta = {'etc/passwd': (0o644, '0 0'), 'etc/passwd-': (0o644, '0 0'),
            'etc/shadow': (0o440, '0 42'), 'dev/null': (0o666, '0 0 c, 1 3'),
            'etc/l': (0o777, '0 0'), 'etc/l2': (0o777, '0 0'), '': (0o755, '0 0'),
            'etc': (0o755, '3 4'), 'dev': (0o755, '0 0')}
    for name, (mode, rest) in meta.items():
        is_dir = (data / name).is_dir()
        folder = 'metadata' if version == 1 else 'dir_metadata' if is_dir else 'file_metadata'
        where = top / folder / name / 'metadata' if is_dir else top / folder / name
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text((f'{mode} ' if version == 2 else '') + rest + '\n', encoding='ascii')
    folder = top / ('metadata' if version == 1 else 'file_metadata') / 'etc'
    for name, second in (('passwd', 'passwd-'), ('l', 'l2')):
        (folder / second).unlink()
        os.link(folder / name, folder / second)
    if version == 2:
        (top / 'superblock').write_text('version 2\nmetadata shadow_fs\nused 1\ntotal 2\n',
                                        encoding='ascii')
    return data


def all_facts(data):
    """What a mapped mount has of each file, and the files that are one."""
    paths = [data, *sorted(data.rglob('*'))]
    return [(str(p.relative_to(data)), mapped_facts(p), p.lstat().st_nlink,
             p.read_bytes() if p.is_file() else None) for p in paths]


@pytest.mark.parametrize('version', [1, 2])
def test_humfs(place, version):
    """A tree of humfs is converted, and the guest finds owners, modes and devices."""
    top = place / 'share'
    humfs(top, version)
    subprocess.run(['chown', '-hR', str(NOBODY), top], check=True)
    for word in ('check', 'import'):
        subprocess.run(['setpriv', f'--reuid={NOBODY}', '--clear-groups', HUMFS, word, top],
                       check=True)
    s = Share(place / 'root.img', place, 'mapped,/data', user=True)
    out = s.guest.out("cd /mnt; stat -c '%n %a %u %g %F' etc etc/shadow dev/null etc/l etc/passwd;"
                      'cat etc/l; stat -c %t:%T dev/null; stat -c %h etc/l2; cd /')
    mode = 666 if version == 2 else 644
    assert out.splitlines() == [
        'etc 755 3 4 directory', 'etc/shadow 440 0 42 regular ' + 'file',
        f'dev/null {mode} 0 0 character special file', 'etc/l 777 0 0 symbolic link',
        'etc/passwd 644 0 0 regular file', 'root', '1:3', '2']
    s.end()


@pytest.mark.parametrize('keep', [True, False])
@pytest.mark.parametrize('version', [1, 2])
def test_humfs_twice(tmp_path, version, keep):
    """A second import is refused and changes nothing."""
    data = humfs(tmp_path, version)
    words = ['--keep-metadata'] if keep else []
    subprocess.run([HUMFS, 'import', tmp_path, *words], check=True)
    os.setxattr(data / 'etc' / 'passwd', 'user.virtfs.uid', struct.pack('<I', 77))
    before = all_facts(data)
    for word in ('import', 'check'):
        done = subprocess.run([HUMFS, word, tmp_path], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 1 and 'imported already' in done.stderr
    assert all_facts(data) == before
    if keep:
        # Nor is it done by halves if the mark is gone.
        os.removexattr(data, 'user.uml_humfs')
        done = subprocess.run([HUMFS, 'import', tmp_path], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 1 and 'has an owner in its attributes already' in done.stderr
        assert all_facts(data) == before


@pytest.mark.parametrize('version', [1, 2])
def test_humfs_interrupted(tmp_path, version):
    """Whenever an import ends early, the next one makes of it what one makes at once."""
    want = humfs(tmp_path / 'want', version)
    subprocess.run([HUMFS, 'import', tmp_path / 'want'], check=True)
    (tmp_path / 'sitecustomize.py').write_text(
        'import os\n'
        'left = [int(os.environ["CALLS"])]\n'
        'def count(call):\n'
        '    def counted(*args, **kwargs):\n'
        '        if not left[0]:\n'
        '            os._exit(77)\n'
        '        left[0] -= 1\n'
        '        return call(*args, **kwargs)\n'
        '    return counted\n'
        'for name in ("setxattr", "rename", "link", "chmod"):\n'
        '    setattr(os, name, count(getattr(os, name)))\n', encoding='ascii')
    for calls in range(200):
        top = tmp_path / str(calls)
        data = humfs(top, version)
        status = [subprocess.run([HUMFS, 'import', top, '--keep-metadata'], check=False,
                                 capture_output=True,
                                 env={**os.environ, 'CALLS': str(n),
                                      'PYTHONPATH': str(tmp_path)}).returncode
                  for n in (calls, 1000)]
        if status == [0, 1]:
            break
        assert status == [77, 0], calls
        assert all_facts(data) == all_facts(want), calls
    else:
        pytest.fail('the import does not end')
    assert calls > 30


def test_humfs_bad(tmp_path):
    """What is no humfs tree, or a broken one, is refused and left alone."""
    done = subprocess.run([HUMFS, 'import', tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and 'no humfs tree' in done.stderr
    for name in ('data', 'file_metadata', 'dir_metadata'):
        (tmp_path / name).mkdir()
    (tmp_path / 'data' / 'f').touch(0o640)
    (tmp_path / 'file_metadata' / 'f').write_text('nonsense', encoding='ascii')
    done = subprocess.run([HUMFS, 'import', tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and 'no line of humfs metadata' in done.stderr
    assert not os.listxattr(tmp_path / 'data' / 'f')
    assert stat.S_IMODE((tmp_path / 'data' / 'f').stat().st_mode) == 0o640


# Module

@pytest.mark.build
def test_module(image, tmp_path):
    """CONFIG_HOSTFS=m: loaded, used, and unloaded."""
    build = Build('hostfs-module')
    build.configure('defconfig', HOSTFS='m', MODULES='y')
    build.make('linux', 'modules')
    assert not build.complaints()
    disk = images.blank(tmp_path / 'modules.img', '16M', 'ext4')
    subprocess.run(['/sbin/debugfs', '-w', '-R',
                    f'write {build.dir}/fs/hostfs/hostfs.ko hostfs.ko', disk],
                   check=True, capture_output=True)
    share = tmp_path / 'share'
    share.mkdir()
    with Guest(f'ubd0={image}', f'ubd1={disk}', f'hostfs={share}', 'mem=256M',
               kernel=build.linux, name='hostfs-module') as g:
        g.boot()
        assert 'hostfs' not in g.out('cat /proc/filesystems')
        g.out('mkdir -p /tmp/m; mount /dev/ubdb /tmp/m; insmod /tmp/m/hostfs.ko')
        for _ in range(3):
            g.out('mount -t hostfs none /mnt')
            assert g.run('rmmod hostfs')[0] != 0
            code, text = g.run('/tests/files /mnt nosetid', timeout=120)
            Tap(text).check()
            assert code == 0
            g.out('umount /mnt; rmmod hostfs; insmod /tmp/m/hostfs.ko')
        assert not g.run("dmesg | grep -E 'WARNING|Oops|BUG|leak'")[1].strip()
        assert g.poweroff() == 0
