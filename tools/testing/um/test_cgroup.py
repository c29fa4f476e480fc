# SPDX-License-Identifier: GPL-2.0
"""What the host half finds out about its cgroups."""

import subprocess

import pytest

from harness import tools
from harness.cgroup import LIMITS, limited


@pytest.mark.parametrize('controller, value', [('memory', 300 << 20), ('cpu', 150000)])
def test_least(controller, value):
    """The limit of the cgroup that a program is in, whatever those around it allow."""
    show = tools.build_host('cgroup_show')
    with limited(controller, value) as words:
        if not words:
            pytest.skip('no cgroup can be made here')
        text = subprocess.run(['/bin/sh', *words, show, controller, *LIMITS[controller]],
                              capture_output=True, text=True, check=True).stdout
    assert text.splitlines()[-1] == f'least {value}', text
    # The folders around it are asked, too.
    asked = [line.split()[1] for line in text.splitlines() if line.startswith('v')]
    mine = next(folder for folder in asked if 'um-test-' in folder)
    assert mine.rpartition('/')[0] in asked, text
