# SPDX-License-Identifier: GPL-2.0
"""The guest programs, in the guest and on the host.

Promise: a program can't tell the guest from a host kernel.  The host runs
each program first: a test that the host fails is wrong, not a finding.
"""

import glob
import subprocess

import pytest

from harness import programs
from harness.tap import Tap

SHORT = {'storm': '--seconds 10', 'fp': '--loops 400', 'budget': '--pieces 3000 --mib 12',
         'mapmodel': '--ops 150'}
LONG = {'storm': '--seconds 300 --workers 8', 'fp': '--loops 20000',
        'mapmodel': '--ops 20000 --workers 4'}


@pytest.mark.parametrize('name', programs.names())
def test_on_host(name):
    """The oracle: the host passes."""
    folder = programs.build()
    args = '--seconds 2' if name == 'storm' else SHORT.get(name, '')
    done = subprocess.run([folder / name, *args.split()], capture_output=True,
                          text=True, timeout=120, check=False)
    Tap(done.stdout).check()
    assert done.returncode == 0


@pytest.mark.parametrize('name', programs.names())
def test_in_guest(shell, name):
    """The guest passes the same."""
    before = set(glob.glob('/tmp/um-escape-*'))
    code, text = shell.run(f'/tests/{name} {SHORT.get(name, "")}', timeout=180)
    Tap(text).check()
    assert code == 0, text
    if name == 'escape':
        made = set(glob.glob('/tmp/um-escape-*')) - before
        assert not made, f'the guest made {made} on the host'


@pytest.mark.parametrize('name', sorted(SHORT))
def test_as_user(shell, name):
    """... also without root's rights."""
    code, text = shell.run(f"su user -c '/tests/{name} {SHORT[name]}'", timeout=180)
    Tap(text).check()
    assert code == 0, text


@pytest.mark.long
@pytest.mark.parametrize('name', sorted(LONG))
def test_long(booted, name):
    """The storms, for minutes."""
    code, text = booted.run(f'/tests/{name} {LONG[name]}', timeout=3600)
    Tap(text).check()
    assert code == 0, text
    assert booted.poweroff() == 0


@pytest.mark.long
def test_all_at_once(booted):
    """All programs in parallel in one guest."""
    names = [n for n in programs.names() if n not in ('timers',)]
    jobs = ' '.join(f'/tests/{n} > /tmp/{n}.tap 2>&1 &' for n in names)
    booted.run(f'{jobs} wait', timeout=900)
    for name in names:
        Tap(booted.run(f'cat /tmp/{name}.tap')[1]).check()
    assert booted.poweroff() == 0
