# SPDX-License-Identifier: GPL-2.0
"""Consoles and serial lines on a pseudo terminal and on descriptors."""

import os
import re
import subprocess
import time

from harness.guest import PROMPT
from harness.paths import KERNEL, KERNEL_ARGS


def test_line_ends(booted):
    """Each line ends with one carriage return, before and in raw mode."""
    assert booted.con.before.count('\n') > 10
    assert not re.search('\r\r|[^\r]\n', booted.con.before)
    assert booted.poweroff() == 0


def test_ctrl_c(booted):
    """Ctrl-C reaches the guest's foreground job, not the kernel."""
    booted.sendline('sleep 1000')
    time.sleep(1)
    booted.send('\x03')
    code, _ = booted.run('true')
    assert code == 0
    assert booted.poweroff() == 0


def test_ctrl_backslash_and_z(booted):
    """So do Ctrl-\\ and Ctrl-Z: the console is raw on the host."""
    booted.sendline('sleep 1001')
    time.sleep(1)
    booted.send('\x1a')
    assert 'sleep 1001' in booted.out('jobs')
    booted.sendline('fg')
    time.sleep(0.5)
    booted.send('\x1c')
    assert booted.out('echo on') == 'on'
    assert booted.poweroff() == 0


def test_window_size(guest, image):
    """The size of the host's terminal, at start and when it changes."""
    g = guest(f'ubd0={image}', 'mem=64M', size=(33, 99)).boot()
    assert g.out('stty size') == '33 99'
    g.con.setwinsize(44, 111)
    end = time.monotonic() + 10
    while g.out('stty size') != '44 111':
        assert time.monotonic() < end, g.out('stty size')
        time.sleep(0.2)
    assert g.poweroff() == 0


def test_all_bytes(booted):
    """Eight bits go through unchanged, in order."""
    booted.sendline("stty raw -echo; echo RE''ADY; head -c 256 > /tmp/bytes; stty sane")
    booted.expect('READY')
    os.write(booted.con.child_fd, bytes(range(256)))
    # head reads ahead: what is typed now would be lost.
    booted.expect(PROMPT)
    want = ' '.join(str(n) for n in range(256))
    assert ' '.join(booted.out('od -An -tu1 -v /tmp/bytes').split()) == want
    assert booted.poweroff() == 0


def test_long_output(booted):
    """A flood of output arrives complete."""
    text = booted.out('seq 1 20000', timeout=60)
    assert [int(n) for n in text.split()] == list(range(1, 20001))
    assert booted.poweroff() == 0


def test_long_input(booted):
    """A flood of input, typed ahead while nobody reads, arrives."""
    booted.run('stty -echo')
    booted.sendline('sleep 2; cat > /tmp/in')
    lines = [f'{i:06d} {"x" * 60}' for i in range(500)]
    for line in lines:
        booted.sendline(line)
    booted.send('\x04')
    assert booted.out('wc -l < /tmp/in', timeout=60) == '500'
    assert booted.out('tail -1 /tmp/in') == lines[-1]
    assert booted.poweroff() == 0


def test_second_console_on_descriptors(guest, image):
    """con1=fd:0,fd:1 while con0 is null."""
    g = guest(f'ubd0={image}', 'mem=64M', 'con=null', 'con0=null,fd:2',
              'con1=fd:0,fd:1').boot()
    assert g.out('tty') == '/dev/tty1'
    assert g.poweroff() == 0


def test_serial_console(guest, image):
    """console=ttyS0 with ssl0 on our terminal."""
    g = guest(f'ubd0={image}', 'mem=64M', 'con0=null', 'ssl0=fd:0,fd:1', 'console=ttyS0').boot()
    assert 'ttyS0' in g.out('cat /proc/consoles')
    assert g.poweroff() == 0


def test_pipes(busybox, tmp_path):
    """No terminal at all: commands from a pipe, output to a pipe."""
    with subprocess.Popen([KERNEL, f'ubd0r={busybox}', 'mem=64M', *KERNEL_ARGS],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          env={**os.environ, 'HOME': str(tmp_path)}) as child:
        try:
            out, _ = child.communicate(b'echo pipe-$((40 + 2))\npoweroff\n', timeout=120)
        except subprocess.TimeoutExpired:
            child.kill()
            out, _ = child.communicate()
            raise AssertionError(f'no end; output: {out[-2000:]}') from None
    assert b'pipe-42' in out
    assert child.returncode == 0


def test_null_input(busybox, tmp_path):
    """/dev/null as input does not end the boot."""
    done = subprocess.run([KERNEL, f'ubd0r={busybox}', 'mem=64M', 'init=/tests/ready',
                           *KERNEL_ARGS],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                          env={**os.environ, 'HOME': str(tmp_path)}, check=False)
    assert b'UM-TEST-READY' in done.stdout
    assert done.returncode == 0


def test_null_console(guest, image):
    """A null console accepts output and never delivers input."""
    g = guest(f'ubd0={image}', 'mem=64M', 'con2=null').boot()
    assert g.run('echo into the void > /dev/tty2')[0] == 0
    assert g.poweroff() == 0
