# SPDX-License-Identifier: GPL-2.0
"""A guest on a pseudo terminal.

    with Guest('ubd0=' + image, 'mem=256M') as g:
        g.boot()                     # to the shell's prompt
        code, text = g.run('uname -r')
        g.poweroff()

Every guest has a folder of its own that serves as HOME, TMPDIR and working
directory; leaving it checks that neither a host process nor a file of that
guest is left.  A wait that takes too long becomes a Hang: the console so far
and the host's view of all its processes go to the log and to the error.
"""

import base64
import os
import re
import shutil
import signal
import tempfile
import time
import uuid
from pathlib import Path

import pexpect

from . import hostproc
from .paths import KERNEL, KERNEL_ARGS, LOGS

PROMPT = r'uml:[^\r\n]*# '
PANIC = r'Kernel panic - not syncing: ([^\r\n]*)'
TIMEOUT = int(os.environ.get('UM_TEST_TIMEOUT', '120'))


class Hang(AssertionError):
    """The guest did not do what was waited for, in time."""


class Died(AssertionError):
    """The guest ended or panicked while something else was waited for."""


class Guest:
    """One run of the kernel.

    args: its command line, without the program
    kernel: the program; KERNEL unless another one is meant
    raw: take args as they stand, add nothing
    argv0: start the program by this name, which may be relative to cwd
    env: changes to the environment; a value of None removes a variable
    size: rows and columns of the terminal
    keep: files below the folder that may stay, as a regular expression
    """

    def __init__(self, *args, kernel=None, raw=False, env=None, size=(50, 132),
                 timeout=TIMEOUT, name='guest', keep=None, cwd=None, argv0=None):
        self.mark = uuid.uuid4().hex
        self.timeout = timeout
        self.keep = keep
        self.dir = Path(tempfile.mkdtemp(prefix='umt-'))
        self.tmp = self.dir / 'tmp'
        self.tmp.mkdir()
        self.args = list(args) if raw else list(args) + KERNEL_ARGS
        self.status = None
        self._n = 0
        LOGS.mkdir(parents=True, exist_ok=True)
        safe = re.sub(r'[^\w.-]+', '_', name)[-100:]
        self.logname = LOGS / f'{safe}.{os.getpid()}.log'
        self._log = open(self.logname, 'a', encoding='utf-8', errors='replace')
        program = str(kernel or KERNEL)
        words = [str(a) for a in self.args]
        if argv0:
            # A relative name is one in cwd; pexpect would search PATH for it.
            program, words = '/bin/sh', ['-c', 'exec "$0" "$@"', argv0, *words]
        environ = {k: v for k, v in os.environ.items()
                   if k not in ('TMP', 'TEMP', 'DISPLAY')}
        environ.update(HOME=str(self.dir), TMPDIR=str(self.tmp), TERM='vt100')
        environ[hostproc.MARK] = self.mark
        for key, value in (env or {}).items():
            if value is None:
                environ.pop(key, None)
            else:
                environ[key] = str(value)
        self._log.write(f'\n==== {program} {" ".join(map(str, self.args))}\n')
        self.started = time.monotonic()
        self.con = pexpect.spawn(program, words, env=environ,
                                 cwd=str(cwd or self.dir), dimensions=size,
                                 timeout=timeout, encoding='utf-8',
                                 codec_errors='replace', maxread=65536)
        self.con.delaybeforesend = None
        self.con.delayafterclose = 0.02
        self.con.logfile_read = self._log
        self.pid = self.con.pid

    # -- waiting ----------------------------------------------------------

    def tail(self, lines=60):
        """The last lines of the console."""
        self._log.flush()
        text = self.logname.read_text(encoding='utf-8', errors='replace')
        return '\n'.join(text.replace('\r', '').splitlines()[-lines:])

    def hang(self, what):
        """Write down all there is to know, end the guest, raise Hang."""
        console = self.tail()
        host = hostproc.describe(self.pid, self.mark)
        self._log.write(f'\n==== HANG: {what}\n{host}\n')
        self._log.flush()
        hostproc.kill_all(self.pid, self.mark)
        raise Hang(f'{what}\nconsole:\n{console}\nhost processes:\n{host}')

    def expect(self, pattern, timeout=None, panic_ok=False):
        """Wait for a pattern (or a list of them); returns its index."""
        patterns = [pattern] if isinstance(pattern, str) else list(pattern)
        extra = [pexpect.EOF, pexpect.TIMEOUT] + ([] if panic_ok else [PANIC])
        index = self.con.expect(patterns + extra, timeout=timeout or self.timeout)
        if index < len(patterns):
            return index
        kind = extra[index - len(patterns)]
        if kind is pexpect.TIMEOUT:
            self.hang(f'no {patterns!r} within {timeout or self.timeout} s')
        if kind is pexpect.EOF:
            self.wait_exit()
            raise Died(f'ended with {self.status} while {patterns!r} was awaited\n'
                       f'{self.tail()}')
        # Let the rest of the message and the exit come.
        try:
            self.con.expect(pexpect.EOF, timeout=10)
        except pexpect.TIMEOUT:
            pass
        raise Died(f'panic while {patterns!r} was awaited\n{self.tail()}')

    def text_before(self):
        """What the console printed up to the last match."""
        return self.con.before.replace('\r', '')

    # -- boot and shell ---------------------------------------------------

    def boot(self, timeout=None):
        """Wait for the shell of the busybox image."""
        self.expect(PROMPT, timeout=timeout)
        self.boot_seconds = time.monotonic() - self.started
        return self

    def login(self, user='root', timeout=300):
        """Wait for Debian's login, log in, leave a plain prompt."""
        self.expect(r'login: ', timeout=timeout)
        self.con.sendline(user)
        self.expect(r'# $')
        self.con.sendline("export PS1='uml:''# ' TERM=dumb SYSTEMD_PAGER= "
                          "SYSTEMD_COLORS=0; bind 'set enable-bracketed-paste off'")
        self.expect(PROMPT)
        return self

    def run(self, command, timeout=None, check=False):
        """Run a shell command (one line); returns its exit code and output.

        The marks are written such that their echo does not match them.  All
        is one line: what is typed ahead could be read by the command.
        """
        self._n += 1
        n = self._n
        self.con.sendline(f"echo __B''EG_{n}__; {command}; echo __E''ND_{n}_$?__")
        self.expect(rf'__BEG_{n}__\r?\n', timeout=timeout)
        self.expect(rf'__END_{n}_(\d+)__\r?\n', timeout=timeout)
        code = int(self.con.match.group(1))
        text = self.text_before()
        text = re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', text)
        if check and code:
            raise AssertionError(f'{command!r}: exit code {code}\n{text}')
        return code, text

    def out(self, command, timeout=None):
        """The output of a command that must succeed, without outer blanks."""
        return self.run(command, timeout, check=True)[1].strip()

    def put(self, path, text):
        """Write a text file in the guest: no quoting, no tabs on the way."""
        code = base64.b64encode(text.encode()).decode()
        self.out(f': > {path}')
        for i in range(0, len(code), 700):
            self.out(f"echo {code[i:i + 700]} | base64 -d >> {path}")

    def send(self, text):
        """Type something."""
        self.con.send(text)

    def sendline(self, text=''):
        """Type a line."""
        self.con.sendline(text)

    # -- the end ----------------------------------------------------------

    def alive(self):
        """Whether the main process is still there."""
        return self.con.isalive()

    def wait_exit(self, timeout=None):
        """Wait for the end; returns the exit code, or minus the signal."""
        if self.status is not None:
            return self.status
        end = time.monotonic() + (timeout or self.timeout)
        try:
            if not self.con.closed:
                self.con.expect(pexpect.EOF, timeout=timeout or self.timeout)
        except pexpect.TIMEOUT:
            self.hang(f'no end within {timeout or self.timeout} s')
        # A helper that keeps the terminal open is no end: ask the process.
        while self.con.isalive():
            if time.monotonic() > end:
                self.hang(f'the main process did not end in {timeout or self.timeout} s')
            time.sleep(0.01)
        self.status = -self.con.signalstatus if self.con.signalstatus else \
            self.con.exitstatus
        return self.status

    def poweroff(self, command='poweroff', timeout=None):
        """Power off from the shell; returns the exit code."""
        self.con.sendline(command)
        return self.wait_exit(timeout)

    def signal(self, sig):
        """Signal the main process."""
        os.kill(self.pid, sig)

    def host_processes(self):
        """The guest's host processes by pid."""
        return hostproc.of_guest(self.pid, self.mark)

    def strays(self, seconds=5):
        """Host processes that outlive the main process."""
        return hostproc.wait_gone(self.pid, self.mark, seconds)

    def leftovers(self):
        """Files that the guest left, relative to its folder."""
        left = []
        for path in sorted(self.dir.rglob('*')):
            name = str(path.relative_to(self.dir))
            if name in ('tmp', '.uml') or (self.keep and re.fullmatch(self.keep, name)):
                continue
            left.append(name)
        return left

    def close(self, check=True):
        """End it if need be; check that nothing of it is left."""
        clean = self.status is not None
        if not clean and self.con.isalive():
            try:
                self.signal(signal.SIGTERM)
                end = time.monotonic() + 5
                while self.con.isalive() and time.monotonic() < end:
                    try:
                        self.con.expect(pexpect.EOF, timeout=0.1)
                    except pexpect.TIMEOUT:
                        pass
            except OSError:
                pass
        strays = self.strays(5 if clean else 1)
        hostproc.kill_all(self.pid, self.mark)
        self.con.close(force=True)
        self._log.close()
        # SIGKILL leaves no chance to remove a file; a panic leaves the umid
        # folder on purpose, as a sign for those who watch it.
        left = self.leftovers() if clean and self.status != -signal.SIGKILL else []
        if self.status == -signal.SIGABRT:
            left = [name for name in left if not name.startswith('.uml/')]
        shutil.rmtree(self.dir, ignore_errors=True)
        if check and clean:
            assert not strays, f'host processes survive: {list(strays.values())}'
            assert not left, f'files are left: {left}'

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close(check=kind is None)
