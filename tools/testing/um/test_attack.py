# SPDX-License-Identifier: GPL-2.0
"""Attacks by guest code on the user mode, and the proof that they can succeed.

Promise: whatever a guest program does, it harms its own process and nobody
else.  Each attack is also run against a copy of the host half that lacks the
protection in question; there it has to succeed, or it would prove nothing.
"""

import subprocess
from pathlib import Path

import pytest

from harness import weaken
from harness.tap import Tap

# For those who succeed by keeping the kernel busy for ever.
PATIENCE_S = 15


@pytest.fixture(scope='module')
def base(tmp_path_factory):
    """The attacks' own program, built; its folder."""
    folder = tmp_path_factory.mktemp('attack')
    weaken.build(folder)
    return folder


def _run(program, *args):
    done = subprocess.run([program, *args], capture_output=True, text=True,
                          timeout=1800, check=False)
    for made in Path('/tmp').glob('um-attack-*'):
        if made.is_dir():
            made.rmdir()
    return done


def test_attacks(base):
    """None succeeds."""
    done = _run(base / 'attack')
    Tap(done.stdout).check()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize('name', weaken.names())
def test_weakened(base, tmp_path, name):
    """Without a protection, those it is for succeed."""
    done = _run(weaken.build_weak(name, base, tmp_path), f'weak={PATIENCE_S}',
                *weaken.breaks(name))
    tap = Tap(done.stdout)
    assert not tap.problems, done.stdout + done.stderr
    assert not tap.passed, f'not noticed: {tap.passed}\n{done.stdout}'


def test_each_can_fail(base):
    """There is no attack that succeeds nowhere."""
    attacks = set(_run(base / 'attack', 'list').stdout.split())
    proven = {attack for name in weaken.names() for attack in weaken.breaks(name)}
    assert attacks == proven
