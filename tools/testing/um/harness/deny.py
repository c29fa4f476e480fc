# SPDX-License-Identifier: GPL-2.0
"""Run a program on a host that refuses some system calls, as containers do.

deny.py seccomp,ptrace program [argument ...]
"""

import ctypes
import os
import struct
import sys

NUMBERS = {'sched_setaffinity': 203, 'ptrace': 101, 'seccomp': 317, 'io_uring_setup': 425}
EPERM = 1
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
MODE_FILTER = 2

LOAD = 0x20			# BPF_LD | BPF_W | BPF_ABS
JUMP_EQUAL = 0x15		# BPF_JMP | BPF_JEQ | BPF_K
RETURN = 0x06			# BPF_RET | BPF_K
ALLOW = 0x7fff0000
ERRNO = 0x00050000


def deny(names):
    """From now on these fail with EPERM, here and in all children."""
    program = [(LOAD, 0, 0, 0)]
    for name in names:
        program += [(JUMP_EQUAL, 0, 1, NUMBERS[name]), (RETURN, 0, 0, ERRNO | EPERM)]
    program.append((RETURN, 0, 0, ALLOW))
    code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *i) for i in program))
    head = ctypes.create_string_buffer(
        struct.pack('HxxxxxxP', len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    for args in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, MODE_FILTER, head, 0, 0)):
        if libc.prctl(*args):
            raise OSError(ctypes.get_errno(), 'prctl')


if __name__ == '__main__':
    deny(sys.argv[1].split(','))
    os.execv(sys.argv[2], sys.argv[2:])
