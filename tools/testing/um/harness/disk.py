# SPDX-License-Identifier: GPL-2.0
"""Disks on the host's side."""

import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

ENGINES = ['io_uring', 'threads']
O_SYNC = 0o4010000
O_DIRECT = 0o40000


def blocks(path):
    """What a file takes on the host's disk, in KiB."""
    return os.stat(path).st_blocks // 2


def open_flags(g, path):
    """The flags with which the kernel process has a file open."""
    for fd in Path(f'/proc/{g.pid}/fd').iterdir():
        if os.readlink(fd) == str(path):
            text = Path(f'/proc/{g.pid}/fdinfo/{fd.name}').read_text('ascii')
            return int(re.search(r'flags:\s*(\d+)', text).group(1), 8)
    raise AssertionError(f'{path} is not open')


@contextmanager
def loop_device(file, *options):
    """A block device of the host."""
    done = subprocess.run(['losetup', '--show', '-f', *options, file], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        pytest.skip('cannot make a loop device here')
    try:
        yield done.stdout.strip()
    finally:
        subprocess.run(['losetup', '-d', done.stdout.strip()], check=True)
