# SPDX-License-Identifier: GPL-2.0
"""Cgroups of the tests' own, in either version."""

import time
import uuid
from contextlib import contextmanager
from pathlib import Path

ROOT = Path('/sys/fs/cgroup')
LIMITS = {'memory': ('memory.max', 'memory.limit_in_bytes'), 'pids': ('pids.max', 'pids.max'),
          'cpu': ('cpu.max', 'cpu.cfs_quota_us')}


def _make(controller, value):
    v1 = (ROOT / controller).is_dir()
    folder = (ROOT / controller if v1 else ROOT) / f'um-test-{uuid.uuid4().hex[:8]}'
    try:
        folder.mkdir()
        (folder / LIMITS[controller][v1]).write_text(str(value), encoding='ascii')
    except OSError:
        if folder.is_dir():
            folder.rmdir()
        return None
    return folder


def _end(folder):
    end = time.monotonic() + 20
    while (folder / 'cgroup.procs').read_text(encoding='ascii') and time.monotonic() < end:
        time.sleep(0.1)
    folder.rmdir()


@contextmanager
def limited(controller, value):
    """A cgroup with a limit: arguments of /bin/sh that run what follows in it.

    None where no cgroup can be made.
    """
    folder = _make(controller, value)
    yield folder and ['-c', f'echo $$ > {folder}/cgroup.procs; exec "$0" "$@"']
    if folder:
        _end(folder)
