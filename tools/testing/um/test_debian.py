# SPDX-License-Identifier: GPL-2.0
"""Debian 12 with systemd: boot, log in, work, power off, check the disk."""

import re
import signal
import subprocess
import time

import pytest

from harness import images, tools
from harness.guest import Died, Guest, Hang

pytestmark = [pytest.mark.debian, pytest.mark.xdist_group('debian')]

PACKAGES = 'gcc,libc6-dev,gdb,strace,python3,e2fsprogs,git'


@pytest.fixture(scope='module')
def master():
    """The image that tests copy: the minimal one and some tools."""
    return images.debian('minimal', include=PACKAGES)


class Machine:
    """One Debian guest for the tests that leave no trace."""

    def __init__(self, image):
        self.image = image
        self.guest = None

    def get(self):
        """The guest, logged in."""
        if not self.guest or not self.guest.alive():
            self.guest = Guest(f'ubd0={self.image}', 'mem=1G', 'root=/dev/ubda',
                               name='debian').login()
        return self.guest


@pytest.fixture(scope='module')
def machine(master, tmp_path_factory):
    """The shared machine; at the end it powers off and its disk is clean."""
    image = images.copy(master, tmp_path_factory.mktemp('debian') / 'root.img')
    shared = Machine(image)
    yield shared
    if shared.guest:
        if shared.guest.alive():
            assert shared.guest.poweroff('poweroff', timeout=180) == 0
            shared.guest.close()
            code, text = images.fsck(image)
            assert code == 0, text
        else:
            shared.guest.close(check=False)


@pytest.fixture
def debian(machine):
    """The shared machine at a prompt."""
    try:
        yield machine.get()
    except (Hang, Died):
        machine.guest = None
        raise


def test_systemd(debian):
    """systemd is up, nothing failed."""
    state = debian.run('systemctl is-system-running --wait', timeout=120)[1].strip()
    failed = debian.out('systemctl --failed --no-legend --plain')
    assert not failed, failed
    assert state == 'running'
    assert debian.out('cat /proc/1/comm') == 'systemd'


def test_no_complaints(debian):
    """The kernel's log has no warning in it."""
    log = debian.out('dmesg')
    for word in ('WARNING:', 'BUG:', 'Oops', 'Call Trace'):
        assert word not in log, log[log.find(word):][:2000]


def test_disk_names(debian):
    """udev has made or kept all three names; the root came from fstab's."""
    for name in ('/dev/ubda', '/dev/ubd0', '/dev/ubd/0'):
        assert debian.out(f'stat -L -c %t:%T {name}') == '62:0'
    assert debian.out("findmnt -no TARGET,FSTYPE /").split() == ['/', 'ext4']
    assert 'rw' in debian.out('findmnt -no OPTIONS /').split(',')


def test_dpkg(debian):
    """A package from a local file installs, runs and goes away."""
    debian.out('mkdir -p /tmp/p/DEBIAN /tmp/p/usr/bin && '
               "printf 'Package: um-test\\nVersion: 1\\nArchitecture: all\\n"
               "Maintainer: test <t@example.org>\\nDescription: test\\n' > "
               '/tmp/p/DEBIAN/control && '
               "printf '#!/bin/sh\\necho packaged\\n' > /tmp/p/usr/bin/um-test && "
               'chmod 755 /tmp/p/usr/bin/um-test')
    debian.out('dpkg-deb -b /tmp/p /tmp/um-test.deb', timeout=120)
    debian.out('dpkg -i /tmp/um-test.deb', timeout=120)
    assert debian.out('um-test') == 'packaged'
    debian.out('dpkg -r um-test', timeout=120)
    debian.out('apt-get install -y /tmp/um-test.deb', timeout=180)
    assert debian.out('um-test') == 'packaged'


def test_gcc(debian):
    """The compiler works, threads and floating point included."""
    debian.put('/tmp/t.c', '#include <stdio.h>\n#include <math.h>\n'
               'int main(void)\n{\n\tvolatile double two = 2;\n'
               '\tprintf("%.3f\\n", sqrt(two));\n\treturn 0;\n}\n')
    debian.out('gcc -O2 -o /tmp/t /tmp/t.c -lm', timeout=180)
    assert debian.out('/tmp/t') == '1.414'


PYTHON_PROGRAM = '''
import concurrent.futures, hashlib, socket, subprocess, threading

def work(n):
    return hashlib.sha256(bytes(n)).hexdigest()[:4]

if __name__ == '__main__':
    with concurrent.futures.ProcessPoolExecutor(4) as pool:
        a = list(pool.map(work, range(20)))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        b = list(pool.map(work, range(20)))
    s = socket.create_server(('127.0.0.1', 0))
    t = threading.Thread(target=lambda: s.accept()[0].sendall(b'hi'))
    t.start()
    c = socket.create_connection(s.getsockname())
    print(a == b, c.recv(2), subprocess.check_output(['echo', 'sub']))
'''


def test_python(debian):
    """python3 with threads, processes and a socket."""
    debian.put('/tmp/t.py', PYTHON_PROGRAM)
    assert debian.out('python3 /tmp/t.py', timeout=180) == "True b'hi' b'sub\\n'"


def test_200_processes(debian):
    """200 shells at a time."""
    text = debian.out('for i in $(seq 200); do (sleep 2; echo done-$i) & done; wait',
                      timeout=180)
    assert len(set(re.findall(r'done-\d+', text))) == 200


def test_journal_and_time(debian):
    """The journal has entries, the clock is the host's."""
    assert int(debian.out('journalctl -b --no-pager | wc -l', timeout=120)) > 50
    assert abs(int(debian.out('date +%s')) - time.time()) < 5


# What is done once is not worth a patch: each of them runs several times before.
WORK = {
    'ls': 'ls -lR /usr > /dev/null',
    'find': 'find / -xdev -newer /etc/hostname > /dev/null',
    'tar': 'tar cf - /usr/include /usr/share/perl* | cat > /dev/null',
    'gcc': 'for i in 1 2 3; do gcc -O1 -c -o /tmp/w.o /tmp/w.c; done',
    'python3': 'for i in 1 2 3; do python3 -c "import json, asyncio, subprocess; '
               'subprocess.check_output(\'true\')"; done',
    'dpkg': 'dpkg -l > /dev/null; dpkg -S gcc > /dev/null; dpkg -L python3-minimal > /dev/null',
    'git': 'cd /tmp/r && git status > /dev/null && git log -p > /dev/null && '
           'rm -rf /tmp/r2 && git clone -q /tmp/r /tmp/r2 && git diff HEAD~5 > /dev/null; cd',
}


@pytest.fixture
def calls(debian):
    """Things to work on, and a function for the calls that were patched and not."""
    debian.put('/tmp/w.c', '#include <stdio.h>\n#include <stdlib.h>\n#include <pthread.h>\n'
               'int main(void)\n{\n\treturn puts("");\n}\n')
    debian.out('rm -rf /tmp/r; git init -q /tmp/r && cd /tmp/r && cp -r /usr/include . && '
               'git config user.email a@b && git config user.name a && git add . && '
               'git commit -qm all && for i in 1 2 3 4 5 6; do echo $i > include/n$i.h; git add .; '
               'git commit -qm $i; done; cd', timeout=300)
    debian.run('mount -t debugfs none /sys/kernel/debug')

    def counters():
        text = debian.out('cat /sys/kernel/debug/um/syscall_sites')
        found = dict(re.findall(r'^calls_(\w+) (\d+)', text, re.M))
        return int(found['patched']), int(found['trapped'])

    return counters


@pytest.mark.parametrize('name', WORK)
def test_patched_share(debian, calls, name):
    """At least 95 % of the system calls of ordinary programs go the patched way."""
    for _ in range(3):
        debian.run(WORK[name], timeout=300)
    before = calls()
    debian.out(WORK[name], timeout=300)
    patched, trapped = (b - a for a, b in zip(before, calls()))
    share = 100 * patched / (patched + trapped)
    print(f'{name}: {share:.1f} % of {patched + trapped}')
    assert share >= 95, f'{share:.1f} % of {patched + trapped}'


def test_cgroups(debian):
    """A transient unit with limits: cgroups, namespaces and seccomp work."""
    debian.out('systemd-run --wait -p MemoryMax=50M -p CPUQuota=50% -p PrivateTmp=yes '
               '-p ProtectSystem=strict -p SystemCallFilter=@system-service true', timeout=120)


def test_strace(debian):
    """strace sees names, arguments and results, and follows children."""
    text = debian.out("strace -f -e trace=execve,openat,exit_group sh -c 'cat /etc/hostname; "
                      "true' 2>&1", timeout=120)
    assert 'execve("/usr/bin/cat"' in text or 'execve("/bin/cat"' in text
    assert '"/etc/hostname"' in text and 'exit_group(0)' in text
    assert debian.run('strace -c ls / > /dev/null 2>/tmp/c', timeout=120)[0] == 0


GDB_PROGRAM = r'''
#include <stdio.h>
int counter;
static int twice(int n)
{
	counter = n;
	return 2 * n;
}
int main(void)
{
	int i, sum = 0;

	for (i = 0; i < 3; i++)
		sum += twice(i);
	printf("sum %d\n", sum);
	return 0;
}
'''


@pytest.fixture
def program(debian):
    """A program to be debugged, as /tmp/prog."""
    debian.put('/tmp/prog.c', GDB_PROGRAM)
    debian.out('gcc -g -O0 -o /tmp/prog /tmp/prog.c', timeout=180)
    return debian


def gdb(debian, *commands, timeout=180):
    """gdb in batch mode on /tmp/prog; returns its output."""
    words = ' '.join(f"-ex '{c}'" for c in commands)
    return debian.out(f'gdb -q -batch -nx {words} /tmp/prog 2>&1', timeout=timeout)


def test_gdb_breakpoint(program):
    """break, run, bt, print, continue."""
    text = gdb(program, 'break twice', 'run', 'bt', 'print n', 'continue', 'print n',
               'delete', 'continue')
    assert 'Breakpoint 1, twice' in text and '#1' in text and 'main' in text
    assert '$1 = 0' in text and '$2 = 1' in text
    assert 'sum 6' in text and 'exited normally' in text


def test_gdb_steps(program):
    """next, step, stepi and finish: single steps don't hang."""
    text = gdb(program, 'break main', 'run', 'next', 'next', 'step', 'finish', 'stepi',
               'stepi', 'next', 'kill')
    assert 'twice (n=0)' in text and 'Value returned is $1 = 0' in text


def test_gdb_watch(program):
    """A watchpoint, by debug registers or single steps."""
    text = gdb(program, 'break main', 'run', 'watch counter', 'continue', 'continue',
               'delete', 'continue')
    assert 'Old value = 0' in text and 'New value = 1' in text
    assert 'New value = 2' in text and 'exited normally' in text
    text = gdb(program, 'set can-use-hw-watchpoints 0', 'break main', 'run',
               'watch counter', 'continue', 'delete', 'continue')
    assert 'New value = 1' in text and 'exited normally' in text


def test_gdb_attach(debian):
    """Attach to a sleeping process, look, detach."""
    debian.run('sleep 300 & echo')
    text = debian.out("gdb -q -batch -nx -p $(pgrep -n sleep) -ex bt -ex 'info registers rip' "
                      '2>&1', timeout=180)
    assert 'nanosleep' in text and 'rip' in text
    debian.run('pkill sleep')


def test_core_dump(program):
    """A core dump that gdb opens."""
    program.put('/tmp/crash.c', 'int main(void)\n{\n\tint a = 4711;\n\n'
                '\t*(volatile int *)16 = a;\n\treturn a;\n}\n')
    program.out('gcc -g -O0 -o /tmp/crash /tmp/crash.c', timeout=180)
    program.out('echo /tmp/core > /proc/sys/kernel/core_pattern; ulimit -c unlimited; '
                'cd /tmp; rm -f core*')
    code, _ = program.run('/tmp/crash')
    assert code == 139
    text = program.out("gdb -q -batch -nx -ex bt -ex 'print a' -ex 'info registers rip xmm0' "
                       '/tmp/crash /tmp/core* 2>&1', timeout=180)
    assert 'SIGSEGV' in text and '$1 = 4711' in text and 'main' in text


@pytest.mark.parametrize('count', [1, pytest.param(20, marks=pytest.mark.long)])
def test_boot_and_poweroff(guest, master, tmp_path, count):
    """Boot to login, power off, a clean disk: every time."""
    image = images.copy(master, tmp_path / 'root.img')
    for _ in range(count):
        g = guest(f'ubd0={image}', 'mem=512M').login()
        assert g.poweroff('poweroff', timeout=180) == 0
        g.close()
        code, text = images.fsck(image)
        assert code == 0, text


def test_cow(guest, master, tmp_path):
    """From a COW file: services run, files are made, the merged image is clean."""
    before = master.stat().st_mtime_ns
    cow = tmp_path / 'root.cow'
    g = guest(f'ubd0={cow},{master}', 'mem=512M').login()
    assert g.out('systemctl is-system-running --wait || true') == 'running'
    g.out('find /usr/share -type f | head -3000 | tar -cf /root/a.tar -T -', timeout=120)
    want = g.out('md5sum < /root/a.tar')
    assert g.poweroff('poweroff', timeout=180) == 0
    g = guest(f'ubd0={cow}', 'mem=512M').login()
    assert g.out('md5sum < /root/a.tar') == want
    assert g.poweroff('poweroff', timeout=180) == 0
    assert master.stat().st_mtime_ns == before
    moo = tools.build()['uml_moo']
    subprocess.run([moo, cow, tmp_path / 'merged'], check=True)
    code, text = images.fsck(tmp_path / 'merged')
    assert code == 0, text


def test_reboot(guest, master, tmp_path):
    """systemd's reboot comes back to a login."""
    image = images.copy(master, tmp_path / 'root.img')
    g = guest(f'ubd0={image}', 'mem=512M').login()
    g.sendline('reboot')
    g.expect('Linux version', timeout=180)
    g.login()
    assert g.poweroff('poweroff', timeout=180) == 0


def test_sigterm(guest, master, tmp_path):
    """SIGTERM from the host ends a Debian guest in order."""
    image = images.copy(master, tmp_path / 'root.img')
    g = guest(f'ubd0={image}', 'mem=512M').login()
    g.signal(signal.SIGTERM)
    assert g.wait_exit(120) >= 0


@pytest.mark.long
class TestServices:
    """The full image: servers start and serve."""

    @pytest.fixture(scope='class')
    def full(self, tmp_path_factory):
        """A guest of the full image."""
        image = images.copy(images.debian('full'), tmp_path_factory.mktemp('full') / 'root.img')
        g = Guest(f'ubd0={image}', 'mem=2G', name='debian-full').login()
        g.run('systemctl is-system-running --wait', timeout=300)
        yield g
        assert g.poweroff('poweroff', timeout=300) == 0
        g.close()
        code, text = images.fsck(image)
        assert code == 0, text

    def test_nothing_failed(self, full):
        """No failed unit."""
        assert not full.out('systemctl --failed --no-legend --plain')

    def test_sshd(self, full):
        """A key login over the loopback."""
        full.out("mkdir -p -m 700 /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f "
                 '/root/.ssh/id_ed25519 && cp /root/.ssh/id_ed25519.pub '
                 '/root/.ssh/authorized_keys', timeout=120)
        assert full.out('ssh -o StrictHostKeyChecking=no root@127.0.0.1 echo over-$((40+2)) '
                        '2>/dev/null', timeout=120) == 'over-42'

    def test_web(self, full):
        """nginx serves a page."""
        full.out('systemctl start nginx; echo page-42 > /var/www/html/index.html', timeout=120)
        assert full.out('curl -s http://127.0.0.1/index.html', timeout=60) == 'page-42'

    def test_database(self, full):
        """mariadb stores and finds."""
        full.out('systemctl start mariadb', timeout=300)
        text = full.out('mysql -NB -e "create database if not exists t; use t; '
                        'create table if not exists x (n int); insert into x values (40),(2); '
                        'select sum(n) from x"', timeout=120)
        assert text == '42'

    def test_cron(self, full):
        """cron runs a job."""
        full.out("systemctl start cron; echo '* * * * * root touch /tmp/cron-ran' > "
                 '/etc/cron.d/um')
        end = time.monotonic() + 150
        while full.run('test -e /tmp/cron-ran')[0]:
            assert time.monotonic() < end, 'cron did not run'
            time.sleep(5)
