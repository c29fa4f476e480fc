# SPDX-License-Identifier: GPL-2.0
"""Copy-on-write disks.

Promise: a COW file is right at every moment, whatever is cut off, damaged or
changed below it.
"""

import subprocess

import pytest

from harness import tools
from harness.tap import Tap


@pytest.mark.parametrize('part', ['headers', 'map', 'rules', 'fuzz', 'crash'])
def test_layer(part):
    """The layer alone: layouts, rules, damaged files, power cuts at every write."""
    done = subprocess.run([tools.build_host('cow_test'), part], capture_output=True, text=True,
                          timeout=600, check=False)
    Tap(done.stdout).check()
    assert done.returncode == 0, done.stderr


def test_races():
    """Threads that write, read and flush one file (thread sanitizer)."""
    done = subprocess.run([tools.build_host('cow_races'), 'threads'], capture_output=True,
                          text=True, timeout=600, check=False)
    Tap(done.stdout).check()
    assert done.returncode == 0, done.stderr


@pytest.mark.long
@pytest.mark.parametrize('part, rounds', [('fuzz', 1000000), ('crash', 300)])
def test_layer_long(part, rounds):
    """More of it."""
    done = subprocess.run([tools.build_host('cow_test'), part, str(rounds)],
                          capture_output=True, text=True, timeout=3600, check=False)
    Tap(done.stdout).check()
    assert done.returncode == 0, done.stderr
