# SPDX-License-Identifier: GPL-2.0
"""Attacks on the host half of hostfs, and the proof that they can succeed.

Promise: whatever the calls of a kernel name, they reach nothing outside of the directory of
hostfs=, and leave nothing there that has the host user's rights.  Attacks from within
guests are in test_hostfs_escape.py.
"""

import os
import subprocess

import pytest

from harness import weaken
from harness.tap import Tap


def _run(program, *args):
    return subprocess.run([program, *args], capture_output=True, text=True, timeout=300,
                          check=False)


@pytest.fixture(scope='module', name='program')
def _program(tmp_path_factory):
    """The attacks on hostfs as it is."""
    return weaken.build_hostfs(tmp_path_factory.mktemp('hostfs-attack'))


def test_attacks(program):
    """None succeeds."""
    done = _run(program)
    Tap(done.stdout).check()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize('name', weaken.hostfs_names())
def test_weakened(tmp_path, name):
    """Without a protection, those it is for succeed."""
    done = _run(weaken.build_hostfs(tmp_path, name), *weaken.escapes(name))
    tap = Tap(done.stdout)
    assert not tap.problems, done.stdout + done.stderr
    assert not tap.passed, f'not noticed: {tap.passed}\n{done.stdout}'
    assert tap.failed or os.getuid(), 'all were skipped'


def test_each_can_fail(program):
    """There is no attack that succeeds nowhere."""
    attacks = _run(program, 'list').stdout.split()
    assert len(attacks) >= 8
    assert set(attacks) == {a for name in weaken.hostfs_names() for a in weaken.escapes(name)}
