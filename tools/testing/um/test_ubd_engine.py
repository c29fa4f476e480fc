# SPDX-License-Identifier: GPL-2.0
"""How ubd performs requests: both engines, on the medium, and when the host fails."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from harness import deny, images, tools
from harness.disk import ENGINES, O_DIRECT, loop_device, open_flags
from harness.paths import KERNEL
from harness.tap import Tap


@pytest.mark.parametrize('engine', ENGINES)
@pytest.mark.parametrize('how', ['plain', 's', 'direct', 'limit'])
def test_verify(guest, image, tmp_path, engine, how):
    """Every sector is what was written, zeroed or discarded last; so it is on the host."""
    file = images.blank(tmp_path / 'data', '24M')
    opts = {'direct': ['ubd_opt=b,direct'], 'limit': ['ubd_opt=all,requests=2000,bytes=100M']}
    g = guest(f'ubd0={image}', f'ubdb{"s" if how == "s" else ""}={file}',
              f'ubd_engine={engine}', 'mem=96M', *opts.get(how, [])).boot()
    want = {'io_uring': 'io_uring', 'threads': 'host threads, as ubd_engine= says'}[engine]
    assert f'ubd: requests go through {want}' in g.out('dmesg')
    if how == 'direct':
        assert open_flags(g, file) & O_DIRECT
    text = g.out('/tests/disk_verify /dev/ubdb 3', timeout=120)
    assert 'discard yes' in text and 'poll yes' in text, text
    assert int(re.search(r'(\d+) operations', text).group(1)) > 50
    want = g.out('md5sum < /dev/ubdb', timeout=60)
    assert g.poweroff() == 0
    assert subprocess.run(['md5sum'], stdin=open(file, 'rb'), capture_output=True, text=True,
                          check=True).stdout.strip() == want


@pytest.mark.long
@pytest.mark.parametrize('engine', ENGINES)
def test_verify_long(guest, image, tmp_path, engine):
    """The same for minutes, with 16 threads."""
    file = images.blank(tmp_path / 'data', '256M')
    g = guest(f'ubd0={image}', f'ubdb={file}', f'ubd_engine={engine}', 'mem=256M').boot()
    g.out('/tests/disk_verify /dev/ubdb 180 16', timeout=900)
    assert g.poweroff() == 0


def test_queues(guest, image):
    """Several hardware queues for each CPU: reads, the rest, polled."""
    g = guest(f'ubd0={image}', 'mem=64M').boot()
    assert g.out('ls /sys/block/ubda/mq').split() == ['0', '1', '2']
    assert g.poweroff() == 0


def test_no_io_uring(guest, image):
    """A host that refuses io_uring, as containers do: threads, and the log says why."""
    g = guest(deny.__file__, 'io_uring_setup', KERNEL, f'ubd0={image}', 'mem=64M', raw=True,
              kernel=sys.executable).boot()
    assert 'ubd: requests go through host threads: the host has no io_uring for us (error 1)' \
        in g.out('dmesg')
    g.out('cp -r /bin /root && sync')
    assert g.poweroff() == 0


def test_io_uring_demanded(image):
    """ubd_engine=io_uring where there is none: one clear line."""
    done = subprocess.run([sys.executable, deny.__file__, 'io_uring_setup', KERNEL,
                           f'ubd0={image}', 'ubd_engine=io_uring'], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == ('linux: ubd_engine=io_uring: the host refuses io_uring '
                           '(Operation not permitted); use ubd_engine=auto\n')


def test_sync_reaches_host(guest, image, tmp_path):
    """sync in the guest is an fdatasync of the file; a write with FUA is RWF_DSYNC."""
    if not shutil.which('strace'):
        pytest.skip('strace is not installed')
    log = tmp_path / 'log'
    file = images.blank(tmp_path / 'data', '8M')
    g = guest('-f', '-qq', '-e', 'trace=fdatasync,pwritev2', '-o', log, KERNEL, f'ubd0r={image}',
              f'ubdb={file}', 'mem=64M', 'ubd_engine=threads', raw=True,
              kernel='/usr/bin/strace').boot(timeout=300)
    before = log.read_text('ascii', 'replace')
    g.out('dd if=/dev/zero of=/dev/ubdb bs=4k count=1 conv=fsync 2>/dev/null', timeout=60)
    after = log.read_text('ascii', 'replace')[len(before):]
    assert 'fdatasync(' in after
    assert after.index('pwritev2(') < after.index('fdatasync(')
    g.out('/tests/disk_verify /dev/ubdb 1', timeout=60)
    assert 'RWF_DSYNC' in log.read_text('ascii', 'replace')
    assert g.poweroff() == 0


@pytest.mark.parametrize('engine', ENGINES)
def test_no_space(guest, image, tmpfs, engine):
    """ENOSPC of the host fails the request; with space again, the disk works on."""
    folder = tmpfs('2m')
    disk = images.blank(folder / 'disk', '16M')
    (folder / 'ballast').write_bytes(bytes(1 << 20))
    g = guest(f'ubd0={image}', f'ubdb={disk}', f'ubd_engine={engine}', 'mem=64M').boot()
    code, text = g.run('dd if=/dev/urandom of=/dev/ubdb bs=64k count=128 oflag=direct')
    assert code != 0 and 'No space left on device' in text, text
    assert 'critical space allocation error, dev ubdb' in g.out('dmesg')
    (folder / 'ballast').unlink()
    g.out('dd if=/dev/urandom of=/tmp/r bs=64k count=4 2>/dev/null; '
          'dd if=/tmp/r of=/dev/ubdb bs=64k seek=100 oflag=direct 2>/dev/null')
    assert g.out('dd if=/dev/ubdb bs=64k skip=100 count=4 iflag=direct 2>/dev/null | md5sum') \
        == g.out('md5sum < /tmp/r')
    assert g.poweroff() == 0


@pytest.mark.parametrize('engine', ENGINES)
@pytest.mark.parametrize('how', ['direct', 'buffered'])
def test_io_error(guest, image, tmp_path, engine, how):
    """EIO of the host, here a loop device whose file is gone, is an I/O error in the guest."""
    file = images.blank(tmp_path / 'disk', '8M')
    with loop_device(file) as loop:
        opts = ['ubd_opt=b,direct'] if how == 'direct' else []
        g = guest(f'ubd0={image}', f'ubdb={loop}', f'ubd_engine={engine}', 'mem=64M', *opts).boot()
        g.out('dd if=/dev/ubdb of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null')
        os.truncate(file, 1 << 20)
        text = g.run('dd if=/dev/ubdb of=/dev/null bs=64k skip=64 count=1 iflag=direct')[1]
        assert 'I/O error' in text, text
        assert 'I/O error, dev ubdb' in g.out('dmesg')
        os.truncate(file, 8 << 20)
        g.out('dd if=/dev/ubdb of=/dev/null bs=64k skip=64 count=1 iflag=direct')
        assert g.poweroff() == 0


FAILING = r'''
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

/* The next sync fails, once, if the file is there: so a host tells of lost data. */
static int lost(void)
{
	errno = EIO;
	return !unlink(getenv("LOSE_DATA"));
}

int fdatasync(int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");

	return lost() ? -1 : real(fd);
}

static ssize_t write_to(const char *name, int fd, const struct iovec *v, int n, off_t o, int flags)
{
	ssize_t (*real)(int, const struct iovec *, int, off_t, int) = dlsym(RTLD_NEXT, name);

	return flags & RWF_DSYNC && lost() ? -1 : real(fd, v, n, o, flags);
}

ssize_t pwritev2(int fd, const struct iovec *v, int n, off_t o, int flags)
{
	return write_to("pwritev2", fd, v, n, o, flags);
}

ssize_t pwritev64v2(int fd, const struct iovec *v, int n, off_t o, int flags)
{
	return write_to("pwritev64v2", fd, v, n, o, flags);
}
'''


@pytest.mark.parametrize('kind', ['raw', 'cow'])
@pytest.mark.parametrize('engine', ENGINES)
def test_failed_sync(guest, image, tmp_path, engine, kind):
    """A sync that fails reaches the guest, and no later one hides that data are lost."""
    (tmp_path / 'failing.c').write_text(FAILING, encoding='ascii')
    library, lose = tmp_path / 'failing.so', tmp_path / 'lose'
    subprocess.run(['gcc', '-shared', '-fPIC', '-D_GNU_SOURCE', '-o', library,
                    tmp_path / 'failing.c', '-ldl'], check=True)
    disk = images.blank(tmp_path / 'disk', '64M', 'ext4')
    word = f'ubdb={tmp_path}/cow,{disk}' if kind == 'cow' else f'ubdb={disk}'
    args = [f'ubd0r={image}', word, f'ubd_engine={engine}', 'mem=64M']
    g = guest(*args, env={'LD_PRELOAD': library, 'LOSE_DATA': lose}).boot()
    write = 'dd if=/dev/zero of=/dev/ubdb bs=4k seek=9000 count=1 conv=fsync,notrunc 2>&1'
    assert g.run(write)[0] == 0
    lose.touch()
    assert 'I/O error' in g.run(write)[1]
    assert not lose.exists()
    for _ in range(2):
        assert 'I/O error' in g.run(write)[1]
    # Reads, and writes that need not be on the medium, work on.
    g.out('dd if=/dev/ubdb of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null')
    g.out('dd if=/dev/zero of=/dev/ubdb bs=4k seek=9000 count=1 oflag=direct 2>/dev/null')
    assert g.poweroff() == 0

    # A file system stops, and is whole after a new start.
    g = guest(*args, env={'LD_PRELOAD': library, 'LOSE_DATA': lose}).boot()
    assert g.run(write)[0] == 0
    g.out('mount /dev/ubdb /mnt && echo kept > /mnt/kept && sync')
    lose.touch()
    g.run('echo lost > /mnt/lost; sync')
    assert not lose.exists()
    assert g.run('dd if=/dev/zero of=/mnt/more bs=4k count=1 conv=fsync')[0] != 0
    assert 'I/O error, dev ubdb' in g.out('dmesg')
    assert g.poweroff() == 0
    g = guest(*args).boot()
    g.out('mount /dev/ubdb /mnt')
    assert g.out('cat /mnt/kept') == 'kept'
    g.out('umount /mnt')
    assert g.poweroff() == 0


# -- parts that need no kernel ------------------------------------------------

@pytest.mark.parametrize('program', ['ubd_now_test', 'work_test'])
def test_host_half(program):
    """What the vCPU does itself, and when it stops to; the threads that do the rest."""
    done = subprocess.run([tools.build_host(program)], capture_output=True, text=True,
                          timeout=300, check=False)
    Tap(done.stdout).check()
    assert done.returncode == 0, done.stderr
