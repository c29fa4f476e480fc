#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Run the tests or the benchmarks of the port.

    run.py test [-k PATTERN] [PYTEST OPTION...]
    run.py test-long [-k PATTERN] [...]
    run.py bench [OPTION...]
    run.py bench hostfs [OPTION...]
    run.py bench summary [bench.json...]
    run.py build-guest

The last line of a test run is "N passed, N failed", with ", N skipped" added
if there are any.  The exit code is 1 if a test failed or none passed.

Tests run two at a time when pytest-xdist is there: a guest needs one CPU and
mostly waits.  Kernel builds come in a separate run before, one after the
other, since each uses all CPUs.
"""

import importlib.util
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from harness import programs  # noqa: E402 pylint: disable=wrong-import-position
from harness.paths import LOGS, TESTS  # noqa: E402 pylint: disable=wrong-import-position


def _pytest(expression, workers, extra, tag):
    """One pytest run; returns (passed, failed, skipped)."""
    report = TESTS / f'report-{tag}.xml'
    report.unlink(missing_ok=True)
    command = [sys.executable, '-B', '-m', 'pytest', '-m', expression, '-q',
               '-o', 'junit_family=xunit2', f'--junitxml={report}', '--durations=10', *extra]
    if workers > 1:
        command += ['-n', str(workers), '--dist', 'loadgroup']
    done = subprocess.run(command, cwd=HERE, check=False,
                          env={**os.environ, 'PYTHONDONTWRITEBYTECODE': '1'})
    if done.returncode == 5:		# no test matches
        return 0, 0, 0
    if not report.exists():
        print(f'pytest itself failed with {done.returncode}', file=sys.stderr)
        return 0, 1, 0
    passed = failed = skipped = 0
    for suite in ElementTree.parse(report).getroot().iter('testsuite'):
        bad = int(suite.get('failures')) + int(suite.get('errors'))
        skips = int(suite.get('skipped'))
        failed += bad
        skipped += skips
        passed += max(0, int(suite.get('tests')) - bad - skips)
    # A worker that crashes is not in the report.
    if done.returncode and not failed:
        failed = 1
    return passed, failed, skipped


def test(extra, long):
    """All tests; returns the exit code."""
    missing = [m for m in ('pytest', 'pexpect') if not importlib.util.find_spec(m)]
    if missing:
        print(f'missing: {", ".join(missing)}; run scripts/install-deps test',
              file=sys.stderr)
        print('0 passed, 1 failed')
        return 1
    programs.build()
    TESTS.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(exist_ok=True)
    for log in LOGS.glob('*.log'):
        log.unlink()
    extra = (['--long'] if long else []) + extra
    workers = 2 if importlib.util.find_spec('xdist') and (os.cpu_count() or 1) > 1 else 1
    totals = [0, 0, 0]
    # Guests first: they say most, and soonest, about what is wrong.
    for expression, count, tag in (('not build', workers, 'guests'),
                                   ('build', 1, 'builds')):
        print(f'==== {tag}', flush=True)
        for i, n in enumerate(_pytest(expression, count, extra, tag)):
            totals[i] += n
    passed, failed, skipped = totals
    line = f'{passed} passed, {failed} failed'
    if skipped:
        line += f', {skipped} skipped'
    print(line, flush=True)
    return 1 if failed or not passed else 0


def main():
    """Dispatch on the first word."""
    if len(sys.argv) < 2 or sys.argv[1] not in ('test', 'test-long', 'bench', 'build-guest'):
        print(__doc__.split('\n\n')[1], file=sys.stderr)
        return 2
    word, extra = sys.argv[1], sys.argv[2:]
    if word == 'build-guest':
        print(programs.build())
        return 0
    if word == 'bench' and extra[:1] == ['hostfs']:
        from bench import hostfs	# pylint: disable=import-outside-toplevel
        return hostfs.main(extra[1:])
    if word == 'bench' and extra[:1] == ['summary']:
        from bench import summary	# pylint: disable=import-outside-toplevel
        return summary.main(extra[1:])
    if word == 'bench':
        from bench import bench	# pylint: disable=import-outside-toplevel
        return bench.main(extra)
    return test(extra, word == 'test-long')


if __name__ == '__main__':
    sys.exit(main())
