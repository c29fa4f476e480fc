# SPDX-License-Identifier: GPL-2.0
"""The base kernel's KUnit suites that need no device, in a guest."""

import subprocess

import pytest

from harness import ktap
from harness.kbuild import Build
from harness.paths import HERE, SOURCE

pytestmark = pytest.mark.build

# Failures that are the base kernel's own, with the reason.
EXPECTED = {}


@pytest.fixture(scope='module')
def kernel_with_suites():
    """allnoconfig plus kunit.config."""
    build = Build('kunit')
    build.make('allnoconfig')
    subprocess.run([SOURCE / 'scripts/kconfig/merge_config.sh', '-m', '-O', build.dir,
                    build.dir / '.config', HERE / 'kunit.config'], check=True,
                   stdout=subprocess.DEVNULL, cwd=SOURCE)
    build.make('olddefconfig')
    config = (build.dir / '.config').read_text(encoding='utf-8').splitlines()
    wanted = [line for line in (HERE / 'kunit.config').read_text(encoding='utf-8').splitlines()
              if line.startswith('CONFIG_')]
    missing = [line for line in wanted if line not in config]
    assert not missing, f'not in the configuration: {missing}'
    build.make('linux')
    return build.linux


def test_suites(guest, kernel_with_suites):
    """All of them pass, read by the base kernel's own parser."""
    g = guest('kunit.enable=1', 'mem=1G', 'console=tty', 'kunit_shutdown=halt',
              kernel=kernel_with_suites)
    assert g.wait_exit(timeout=900) == 0
    text = g.logname.read_text(encoding='utf-8', errors='replace').replace('\r', '')
    result = ktap.parse(text)
    counts = result.counts
    assert counts.passed > 200, counts
    bad = [f for f in ktap.failures(result) if f.split(':')[0] not in EXPECTED]
    assert not bad, '\n'.join(bad)
    assert counts.crashed == 0 and counts.errors == 0, counts
