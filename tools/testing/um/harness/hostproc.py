# SPDX-License-Identifier: GPL-2.0
"""The host's processes of one guest.

A guest is started in a session of its own and with a mark in its environment.
A process belongs to it if any of the two, or its chain of parents, says so:
address spaces are clones without an environment, helpers may have their own
session, and after a kill the chain of parents is broken.
"""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

MARK = 'UM_TEST_GUEST'


class Proc:
    """One line of /proc: pid, ppid, session, state and name."""

    def __init__(self, pid):
        stat = Path(f'/proc/{pid}/stat').read_text(errors='replace')
        head, _, tail = stat.rpartition(')')
        fields = tail.split()
        self.pid = pid
        self.comm = head.partition('(')[2]
        self.state = fields[0]
        self.ppid = int(fields[1])
        self.session = int(fields[3])
        self.start = int(fields[19])

    def __repr__(self):
        return f'{self.pid} ({self.comm}) state {self.state} parent {self.ppid}'


def snapshot():
    """All processes of the host by pid."""
    procs = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                procs[int(name)] = Proc(int(name))
            except (OSError, ValueError, IndexError):
                pass
    return procs


def _marked(pid, mark):
    try:
        env = Path(f'/proc/{pid}/environ').read_bytes()
    except OSError:
        return False
    return f'{MARK}={mark}'.encode() in env.split(b'\0')


def of_guest(main, mark, zombies=False):
    """The processes of the guest whose main process is or was @main."""
    procs = snapshot()
    found = {}
    for pid, proc in procs.items():
        up = proc
        depth = 0
        while up and up.pid != main and depth < 64:
            up = procs.get(up.ppid)
            depth += 1
        if (up and up.pid == main) or proc.session == main or _marked(pid, mark):
            if zombies or proc.state not in 'ZX':
                found[pid] = proc
    return found


def cpu_ns(main, mark):
    """CPU time that the guest's processes have used, those that ended included.

    The clock of a process counts nanoseconds; what its children took is known
    in ticks, and only once they were waited for.
    """
    total = 0
    for pid in of_guest(main, mark, zombies=True):
        try:
            fields = Path(f'/proc/{pid}/stat').read_text(errors='replace').rpartition(')')[2]
            total += time.clock_gettime_ns(~pid << 3 | 2)	# CPUCLOCK_SCHED of pid
        except OSError:
            continue
        children = sum(int(ticks) for ticks in fields.split()[13:15])
        total += children * 10**9 // os.sysconf('SC_CLK_TCK')
    return total


def kill(pid):
    """SIGKILL one process; that it ended meanwhile is no error."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def kill_all(main, mark):
    """End what is left of a guest, by pid; returns what was found."""
    seen = {}
    for _ in range(50):
        procs = of_guest(main, mark)
        if not procs:
            break
        seen.update(procs)
        for pid in procs:
            kill(pid)
        time.sleep(0.02)
    return seen


def wait_gone(main, mark, seconds=5):
    """Wait until no process of the guest is left; returns those that stay."""
    end = time.monotonic() + seconds
    while True:
        procs = of_guest(main, mark)
        if not procs or time.monotonic() > end:
            return procs
        time.sleep(0.05)


def _read(path):
    try:
        return Path(path).read_text(errors='replace').rstrip()
    except OSError as err:
        return f'({err.strerror})'


def describe(main, mark):
    """What a hang looks like from the host: states, stacks, a backtrace."""
    out = []
    for pid, proc in sorted(of_guest(main, mark, zombies=True).items()):
        out.append(f'--- {proc}')
        for task in sorted(os.listdir(f'/proc/{pid}/task')) if \
                os.path.isdir(f'/proc/{pid}/task') else []:
            base = f'/proc/{pid}/task/{task}'
            out.append(f'task {task}: {_read(base + "/comm")}, '
                       f'wchan {_read(base + "/wchan")}, '
                       f'syscall {_read(base + "/syscall")}')
            out.append(_read(base + '/stack'))
        keep = ('State', 'TracerPid', 'SigPnd', 'ShdPnd', 'SigBlk', 'SigCgt',
                'VmRSS', 'Threads', 'voluntary', 'nonvoluntary')
        out += [line for line in _read(f'/proc/{pid}/status').splitlines()
                if line.startswith(keep)]
    try:
        gdb = subprocess.run(
            ['gdb', '-batch', '-nx', '-p', str(main),
             '-ex', 'set pagination off', '-ex', 'thread apply all bt 40'],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors='replace', timeout=60, check=False)
        out.append(f'--- gdb of {main}\n{gdb.stdout}')
    except (OSError, subprocess.TimeoutExpired) as err:
        out.append(f'--- no backtrace: {err}')
    return '\n'.join(out)


def pss(pids):
    """Proportional share of processes, in bytes."""
    total = 0
    for pid in pids:
        try:
            text = Path(f'/proc/{pid}/smaps_rollup').read_text(encoding='ascii')
        except OSError:
            continue
        total += int(re.search(r'^Pss: +(\d+)', text, re.M).group(1)) * 1024
    return total
