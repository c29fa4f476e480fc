# SPDX-License-Identifier: GPL-2.0
"""The base kernel's kselftests, against kselftest-expected.txt.

Promise: their results are the same however guest code is run.
"""

import pytest

from harness import images, kselftest
from harness.guest import Died, Guest, Hang
from test_debian import PACKAGES

pytestmark = [pytest.mark.debian]
MODES = ('', 'usermode=ptrace', 'patch=off')


class Runner:
    """A Debian guest with the programs on its second disk; remade if it dies."""

    def __init__(self, folders, mode):
        self.folders = folders
        self.folder = None
        self.mode = mode
        self.guest = None

    def get(self):
        """The guest, with the programs below /mnt."""
        if not self.folder:
            self.folder = self.folders.mktemp('kselftest')
            kselftest.disk(self.folder / 'kselftest.img')
        if not self.guest or not self.guest.alive():
            root = images.copy(images.debian('minimal', include=PACKAGES),
                               self.folder / 'root.img')
            self.guest = Guest(f'ubd0={root}', f'ubd1={self.folder}/kselftest.img', 'mem=4G',
                               *self.mode.split(),
                               name=f'kselftest-{self.mode}').login()
            self.guest.out('mount /dev/ubdb /mnt')
            # Some programs want it to be a mount point.
            self.guest.out('mount -t tmpfs tmp /tmp')
        return self.guest


@pytest.fixture(scope='module')
def runners(tmp_path_factory):
    """Guests for all tests, by mode."""
    runs = {mode: Runner(tmp_path_factory, mode) for mode in MODES}
    yield runs
    for run in runs.values():
        if run.guest:
            run.guest.close(check=False)


def _params():
    for mode in MODES:
        for entry in kselftest.entries():
            marks = [pytest.mark.xdist_group(f'kselftest-{mode}')]
            if mode or not entry.quick:
                marks.append(pytest.mark.long)
            yield pytest.param(mode, entry, marks=marks,
                               id=f'{mode}:{entry.label}'.lstrip(':'))


@pytest.mark.parametrize('mode, entry', _params())
def test_kselftest(runners, mode, entry):
    """One program: the verdict is the expected one."""
    runner = runners[mode]
    guest = runner.get()
    try:
        guest.run('dmesg -c > /dev/null')
        code, text = guest.run(kselftest.command(entry), timeout=650)
        log = guest.run('dmesg')[1]
    except (Hang, Died):
        runner.guest = None
        raise
    for word in ('WARNING:', 'BUG:', 'Oops'):
        assert word not in log, log[log.find(word):][:2000]
    got = kselftest.verdict(code)
    assert got in entry.verdicts, \
        f'{got} (exit code {code}), expected {entry.verdicts} {entry.reason}\n' \
        + kselftest.not_ok(text)
