# SPDX-License-Identifier: GPL-2.0
"""The base kernel's KUnit suites that need no device, in a guest."""

import os
import subprocess

import pytest

from harness import ktap
from harness.kbuild import Build
from harness.paths import HERE, LOGS, SOURCE

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


def test_suites(kernel_with_suites, tmp_path):
    """All of them pass, read by the base kernel's own parser.

    Started as kunit.py does it: input is a pipe that nobody writes to.
    """
    with subprocess.Popen([kernel_with_suites, 'kunit.enable=1', 'mem=1G', 'console=tty',
                           'kunit_shutdown=halt'], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors='backslashreplace',
                          env={**os.environ, 'HOME': str(tmp_path)}) as child:
        try:
            text, _ = child.communicate(timeout=900)
        except subprocess.TimeoutExpired:
            child.kill()
            text, _ = child.communicate()
    (LOGS / 'kunit.log').write_text(text, encoding='utf-8')
    assert child.returncode == 0, text[-3000:]
    result = ktap.parse(text)
    counts = result.counts
    assert counts.passed > 200, counts
    bad = [f for f in ktap.failures(result) if f.split(':')[0] not in EXPECTED]
    assert not bad, '\n'.join(bad)
    assert counts.crashed == 0 and counts.errors == 0, counts
