# SPDX-License-Identifier: GPL-2.0
"""stress-ng with its verification on, by what it stresses.

Promise: what programs compute, store, send and get under load is right, in
each way to run guest code.  UM_STRESS_SECONDS says how long each class runs in
the long form, 60 if not.
"""

import os
import re

import pytest

from harness import images
from harness.guest import Died, Guest, Hang

MODES = ('', 'usermode=ptrace', 'patch=off')
SECONDS = int(os.environ.get('UM_STRESS_SECONDS', '60'))
QUICK_SECONDS = 2

# Options besides the number of workers (a second set of them after a colon); those in QUICK are part of `make test`.
CLASSES = {
    # what is in registers
    'cpu': '', 'vecmath': '', 'vecfp': '', 'vecwide': '', 'vecshuf': '', 'matrix': '',
    'fp-error': '', 'branch': '', 'far-branch': '', 'regs': '', 'longjmp': '', 'context': '',
    'opcode': '', 'nop': '', 'x86cpuid': '', 'misaligned': '',
    # signals
    'signal': '', 'sigsegv': '', 'sigfpe': '', 'sigq': '', 'sigpending': '', 'sigsuspend': '',
    'sigtrap': '', 'sigabrt': '', 'sigchld': '', 'sigio': '', 'sigrt': '', 'signest': '',
    'sigfd': '', 'kill': '', 'bad-altstack': '', 'priv-instr': '', 'sysbadaddr': '',
    # processes and threads
    'switch': '', 'fork': '', 'vfork': '', 'exec': '', 'spawn': '', 'clone': '', 'pthread': '',
    'futex': '', 'mutex': '', 'sem': '', 'yield': '', 'wait': '', 'zombie': '', 'daemon': '',
    'ptrace': '', 'rseq': '', 'set': '', 'get': '', 'prctl': '', 'personality': '',
    'seccomp': '', 'usersyscall': '', 'schedpolicy': '', 'exit-group': '', 'membarrier': '',
    # memory
    'mmap': '--mmap-bytes 64M', 'mmapfork': '', 'mmapmany': '', 'munmap': '',
    'mremap': '--mremap-bytes 64M', 'brk': '', 'stack': '', 'fault': '', 'madvise': '',
    'mprotect': '', 'mlock': '', 'mincore': '', 'msync': '', 'memfd': '', 'shm': '',
    'userfaultfd': '', 'vm': '--vm-bytes 128M', 'vm-rw': '--vm-rw-bytes 16M', 'vm-segv': '',
    'vm-addr': '', 'rmap': '', 'remap': '', 'pagemove': '', 'tlb-shootdown': '', 'icache': '',
    'vm-splice': '', 'bigheap': '--bigheap-growth 1M', 'malloc': '--malloc-bytes 16M',
    'mmapaddr': '', 'mmapfixed': '', 'mmaphuge': '', 'msyncmany': '',
    'pageswap': '', 'shm-sysv': '--shm-sysv-bytes 4M', 'stackmmap': '', 'swap': '--temp-path /root', 'tmpfs': '',
    'dev-shm': '', 'env': '', 'forkheavy': '--forkheavy-procs 200', 'vforkmany': '',
    'resources': '', 'memthrash': '', 'memcpy': '', 'mcontend': '', 'atomic': '',
    'pipeherd': '', 'physpage': '',
    # and some of the same with other options
    'mmap:file': '--mmap-bytes 64M --mmap-file --mmap-mprotect',
    'mmap:mprotect': '--mmap-bytes 64M --mmap-mprotect', 'fork:vm': '--fork-vm',
    'vforkmany:vm': '--vforkmany-vm', 'brk:mlock': '--brk-mlock', 'brk:notouch': '--brk-notouch',
    'stack:fill': '--stack-fill --stack-pageout', 'stack:unmap': '--stack-unmap',
    'vm:keep': '--vm-bytes 128M --vm-keep --vm-populate',
    'vm:hugepage': '--vm-bytes 128M --vm-madvise hugepage',
    'vm:nohugepage': '--vm-bytes 64M --vm-madvise nohugepage',
    'mremap:lock': '--mremap-bytes 16M --mremap-mlock',
    'malloc:touch': '--malloc-bytes 8M --malloc-touch --malloc-thresh 4K --malloc-pthreads 4',
    # time
    'timer': '', 'timerfd': '', 'itimer': '', 'hrtimers': '', 'alarm': '', 'clock': '',
    'nanosleep': '', 'vdso': '',
    # messages
    'pipe': '', 'fifo': '', 'sock': '', 'sockpair': '', 'eventfd': '', 'epoll': '', 'poll': '',
    'mq': '', 'msg': '',
}
QUICK = ('cpu', 'vecmath', 'regs', 'context', 'sigsegv', 'sigq', 'sigtrap', 'switch', 'fork',
         'pthread', 'futex', 'mmapfork', 'mprotect', 'mremap', 'pagemove', 'userfaultfd',
         'vm-segv', 'vm:nohugepage', 'timer', 'pipe')
# They refuse to run as root.
AS_USER = ('exec', 'spawn')
# The C library has registered it otherwise, and there is only one.
ENVIRONMENT = {'rseq': 'GLIBC_TUNABLES=glibc.pthread.rseq=0'}


@pytest.fixture(scope='module')
def guests(tmp_path_factory):
    """One guest by mode, remade if it dies."""
    found = {}

    def get(mode):
        if mode not in found or not found[mode].alive():
            root = images.copy(images.with_program('stress-ng'), tmp_path_factory.mktemp('stress') / 'root.img')
            found[mode] = Guest(f'ubd0={root}', 'mem=1G', *mode.split(),
                                name=f'stress-{mode}').boot()
            found[mode].out('cd /tmp')
        return found[mode]

    yield get
    for g in found.values():
        if g.alive():
            assert g.poweroff() == 0
        g.close(check=False)


def _params():
    for mode in MODES:
        group = pytest.mark.xdist_group(f'stress-{mode}')
        for name in CLASSES:
            yield pytest.param(mode, name, SECONDS, marks=[group, pytest.mark.long],
                               id=f'{mode}:{name}'.lstrip(':'))
    for name in QUICK:
        yield pytest.param('', name, QUICK_SECONDS, marks=pytest.mark.xdist_group('stress-'),
                           id=f'quick:{name}')


@pytest.mark.parametrize('mode, name, seconds', _params())
def test_stress(guests, mode, name, seconds):
    """One class: it ran, nothing was wrong, and the kernel has no complaint."""
    g = guests(mode)
    options = CLASSES[name]
    name = name.partition(':')[0]
    command = f'{ENVIRONMENT.get(name, "")} timeout {seconds + 300} /tests/stress-ng --verify ' \
        f'--metrics-brief --oom-avoid --no-rand-seed --{name} 2 {options} -t {seconds}'
    if name in AS_USER:
        command = f"su user -c '{command.strip()}'"
    try:
        g.run('dmesg -c > /dev/null')
        code, text = g.run(f'{command} > out 2>&1; code=$?; tail -n 40 out; (exit $code)',
                           timeout=seconds + 400)
        log = g.run('dmesg')[1]
    except (Hang, Died):
        g.close(check=False)
        raise
    for word in ('WARNING:', 'BUG:', 'Oops'):
        assert word not in log, log[log.find(word):][:2000]
    assert code == 0, text
    done = re.search(rf'metrc: \[\d+\] {name} +(\d+)', text)
    assert done and int(done.group(1)) > 0, f'it did nothing:\n{text}'
