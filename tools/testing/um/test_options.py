# SPDX-License-Identifier: GPL-2.0
"""The command line: questions answered, mistakes told, words passed on.

Promise: a bad option is one line on stderr that names it, and exit code 1,
before anything was created.
"""

import os
import subprocess

import pexpect
import pytest

from harness.guest import PROMPT
from harness.paths import KERNEL, TOP


def ask(*args, env=None, cwd=None, kernel=KERNEL):
    """Run the kernel without a terminal; (exit code, stdout, stderr)."""
    done = subprocess.run([kernel, *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, cwd=cwd,
                          env={**os.environ, **(env or {})}, check=False)
    return done.returncode, done.stdout, done.stderr


def test_help():
    """--help names the options and exits with 0."""
    code, out, err = ask('--help')
    assert code == 0 and not err
    for word in ('mem=', 'ubd', 'umid=', 'uml_dir=', 'con', 'ssl', 'initrd='):
        assert word in out, word


def test_help_is_documented():
    """The documentation includes what --help says below its first two lines."""
    lines = ask('--help')[1].splitlines(keepends=True)
    text = (TOP / 'Documentation/virt/uml/options.txt').read_text(encoding='utf-8')
    assert text == ''.join(lines[2:])


def test_version():
    """--version is the release alone."""
    code, out, err = ask('--version')
    assert code == 0 and not err
    assert out.startswith('6.12') and out.count('\n') == 1


def test_showconfig():
    """--showconfig is the .config."""
    code, out, err = ask('--showconfig')
    assert code == 0 and not err
    assert 'CONFIG_UML=y' in out.splitlines()
    assert len(out.splitlines()) > 500


def test_questions_come_first(tmp_path):
    """They are answered where nothing else could work."""
    for word in ('--help', '--version', '--showconfig'):
        code, out, _ = ask(word, env={'TMPDIR': '/nonexistent', 'HOME': '/nonexistent'},
                           cwd=tmp_path)
        assert code == 0 and out
        code, out, _ = ask('mem=64M', word)
        assert code == 0 and out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('word', [
    'mem=abc', 'mem=', 'mem=64Q', 'mem=1M', 'mem=-5M',
    'con0=bogus', 'con99=null', 'con0=fd:', 'ssl0=what:3', 'ssl200=null',
    'ubd99=file', 'ubd0', 'ubd0x=file',
    'umid=a/b', 'uml_dir=',
    'usermode=magic', 'patch=maybe', 'huge_memory=2', 'free_memory=', 'stderr=on',
])
def test_bad_value(word, tmp_path):
    """One clear line, exit code 1, nothing created."""
    code, out, err = ask(word, cwd=tmp_path,
                         env={'HOME': str(tmp_path), 'TMPDIR': str(tmp_path)})
    assert code == 1, (out[-500:], err)
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert word.split('=')[0] in lines[0], err
    assert not out.strip(), out
    assert not list(tmp_path.iterdir())


def test_missing_disk(tmp_path):
    """An image that is not there: a message with its name; no hang."""
    name = tmp_path / 'no-such-image'
    code, out, err = ask(f'ubd0={name}', 'mem=64M', env={'HOME': str(tmp_path)})
    assert code != 0
    assert str(name) in out + err


@pytest.mark.parametrize('mem,kib', [
    ('32M', 32 << 10), ('32m', 32 << 10), ('65536K', 64 << 10),
    ('1G', 1 << 20), ('134217728', 128 << 10),
])
def test_mem_forms(guest, busybox, mem, kib):
    """mem= in all its units; MemTotal is not far below."""
    g = guest(f'ubd0r={busybox}', f'mem={mem}').boot()
    total = int(g.out("awk '/MemTotal/{print $2}' /proc/meminfo"))
    assert kib * 0.6 < total <= kib
    assert g.poweroff() == 0


def test_mem_16m(guest, busybox):
    """The smallest memory boots to a shell."""
    g = guest(f'ubd0r={busybox}', 'mem=16M').boot()
    assert g.poweroff() == 0


def test_mem_beyond_host(guest, busybox):
    """More than the host has: sparse."""
    with open('/proc/meminfo', encoding='ascii') as info:
        host = int(info.readline().split()[1])
    g = guest(f'ubd0r={busybox}', f'mem={2 * host}K').boot()
    total = int(g.out("awk '/MemTotal/{print $2}' /proc/meminfo"))
    assert total > host
    rss = sum(int(line.split()[1]) for line in
              open(f'/proc/{g.pid}/status', encoding='ascii') if line.startswith('VmRSS'))
    assert rss < host // 4
    assert g.poweroff() == 0


def test_words_reach_init(guest, busybox):
    """Words that the kernel does not know are init's arguments, X=y its environment."""
    g = guest(f'ubd0r={busybox}', 'mem=64M', 'init=/tests/ready', 'NEWS=paper', 'single',
              'unknown', '--', 'after')
    g.expect('UM-TEST-READY /tests/ready single unknown after NEWS=paper')
    assert g.wait_exit() == 0


def test_single(guest, image):
    """`single` is given to init: busybox's starts a shell and nothing else."""
    g = guest(f'ubd0={image}', 'mem=64M', 'single')
    g.expect(r'# ')
    assert g.run('test -e /proc/1')[0] != 0
    assert g.poweroff('poweroff -f') == 0


def test_old_words(guest, image):
    """devfs= and fakehd: one notice each, not given to init."""
    g = guest(f'ubd0={image}', 'mem=64M', 'devfs=mount', 'fakehd')
    g.expect(r'devfs|fakehd')
    g.boot()
    words = g.out("tr '\\0' ' ' < /proc/1/cmdline; cat /proc/1/environ")
    assert 'devfs' not in words and 'fakehd' not in words
    assert g.poweroff() == 0


def test_commas_stay(guest, image):
    """The arguments of the process keep their commas (ps shows them)."""
    g = guest(f'ubd0={image}', 'mem=64M', 'con0=fd:0,fd:1').boot()
    with open(f'/proc/{g.pid}/cmdline', 'rb') as cmdline:
        assert b'con0=fd:0,fd:1' in cmdline.read().split(b'\0')
    assert g.poweroff() == 0


def test_quiet(guest, image):
    """quiet silences the kernel."""
    g = guest(f'ubd0={image}', 'mem=64M', 'quiet').boot()
    assert 'Linux version' not in g.tail(500).rpartition('====')[2]
    assert g.poweroff() == 0


def test_mode_line(guest, image):
    """The boot log names the mode."""
    g = guest(f'ubd0={image}', 'mem=64M')
    g.expect(r'UML running in \S+ mode')
    g.boot()
    assert g.poweroff() == 0


class TestMemoryFile:
    """TMPDIR, TMP, TEMP in this order, then the default."""

    @staticmethod
    def where(guest, image, **env):
        """Boot; returns what the host's maps say about the guest's memory."""
        g = guest(f'ubd0={image}', 'mem=64M', env=env).boot()
        with open(f'/proc/{g.pid}/maps', encoding='utf-8', errors='replace') as maps:
            text = maps.read()
        assert g.poweroff() == 0
        return text

    @pytest.fixture
    def tmpfs(self):
        """Three folders on a tmpfs."""
        import tempfile  # pylint: disable=import-outside-toplevel
        if not os.path.isdir('/dev/shm'):
            pytest.skip('the host has no /dev/shm')
        with tempfile.TemporaryDirectory(dir='/dev/shm', prefix='umt-') as folder:
            names = [os.path.join(folder, n) for n in ('one', 'two', 'three')]
            for name in names:
                os.mkdir(name)
            yield names

    def test_order(self, guest, image, tmpfs):
        """TMPDIR wins over TMP, TMP over TEMP."""
        one, two, three = tmpfs
        text = self.where(guest, image, TMPDIR=one, TMP=two, TEMP=three)
        assert one in text and two not in text
        text = self.where(guest, image, TMPDIR=None, TMP=two, TEMP=three)
        assert two in text and three not in text
        text = self.where(guest, image, TMPDIR=None, TMP=None, TEMP=three)
        assert three in text
        for name in tmpfs:
            assert not os.listdir(name)

    def test_default(self, guest, image):
        """None of them: a memfd."""
        assert 'memfd:' in self.where(guest, image, TMPDIR=None, TMP=None, TEMP=None)

    def test_unusable(self, tmp_path):
        """A folder that is not there is one clear message, exit code 1."""
        name = str(tmp_path / 'nowhere')
        code, _, err = ask('mem=64M', env={'TMPDIR': name, 'HOME': str(tmp_path)})
        assert code == 1
        assert name in err and len(err.strip().splitlines()) == 1


def test_umid(guest, image):
    """umid= and uml_dir= name the folder, which goes away at the end."""
    g = guest(f'ubd0={image}', 'mem=64M', 'umid=TEST', keep='dir').boot()
    folder = g.dir / '.uml' / 'TEST'
    assert (folder / 'pid').read_text().strip() == str(g.pid)
    assert g.poweroff() == 0
    assert not folder.exists()


def test_uml_dir(guest, image, busybox, tmp_path):
    """The same elsewhere; a second guest of that name gets another one."""
    args = (f'uml_dir={tmp_path}/run', 'umid=twin', 'mem=64M')
    one = guest(f'ubd0={image}', *args).boot()
    assert (tmp_path / 'run/twin/pid').read_text().strip() == str(one.pid)
    two = guest(f'ubd0r={busybox}', *args)
    two.expect('already in use')
    two.boot()
    assert len(list((tmp_path / 'run').iterdir())) == 2
    assert two.poweroff() == 0
    assert one.poweroff() == 0
    assert not list((tmp_path / 'run').iterdir())


def test_con_without_colon(guest, image):
    """con0=fd0,fd1 works, or one line shows the right form."""
    g = guest(f'ubd0={image}', 'mem=64M', 'con0=fd0,fd1')
    if g.con.expect([PROMPT, pexpect.EOF], timeout=g.timeout) == 0:
        assert g.poweroff() == 0
    else:
        assert g.wait_exit() == 1
        assert 'fd:0' in g.tail()
