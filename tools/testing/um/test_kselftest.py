# SPDX-License-Identifier: GPL-2.0
"""The base kernel's kselftests, against kselftest-expected.txt."""

import pytest

from harness import images, kselftest
from harness.guest import Died, Guest, Hang
from test_debian import PACKAGES

pytestmark = [pytest.mark.debian, pytest.mark.xdist_group('kselftest')]


class Runner:
    """A Debian guest with the programs on its second disk; remade if it dies."""

    def __init__(self, folder):
        self.folder = folder
        self.disk = kselftest.disk(folder / 'kselftest.img')
        self.master = images.debian('minimal', include=PACKAGES)
        self.guest = None

    def get(self):
        """The guest, with the programs below /mnt."""
        if not self.guest or not self.guest.alive():
            root = images.copy(self.master, self.folder / 'root.img')
            self.guest = Guest(f'ubd0={root}', f'ubd1={self.disk}', 'mem=4G',
                               name='kselftest').login()
            self.guest.out('mount /dev/ubdb /mnt')
            # Some programs want it to be a mount point.
            self.guest.out('mount -t tmpfs tmp /tmp')
        return self.guest


@pytest.fixture(scope='module')
def runner(tmp_path_factory):
    """The guest, for all tests."""
    run = Runner(tmp_path_factory.mktemp('kselftest'))
    yield run
    if run.guest:
        run.guest.close(check=False)


def _params():
    return [pytest.param(e, id=e.name, marks=() if e.quick else (pytest.mark.long,))
            for e in kselftest.entries()]


@pytest.mark.parametrize('entry', _params())
def test_kselftest(runner, entry):
    """One program: the verdict is the expected one."""
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
