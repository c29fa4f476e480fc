# SPDX-License-Identifier: GPL-2.0
"""Reading KUnit's output with the base kernel's own parser."""

import sys

from .paths import SOURCE


def parse(text):
    """The parser's Test object for a console log.

    The parser prints the results as it reads; it belongs to the kernel that
    is tested, so a change of the format comes with it.
    """
    folder = str(SOURCE / 'tools' / 'testing' / 'kunit')
    if folder not in sys.path:
        sys.path.insert(0, folder)
    import kunit_parser	 # pylint: disable=import-outside-toplevel,import-error
    try:
        from kunit_printer import Printer  # pylint: disable=import-outside-toplevel
        return kunit_parser.parse_run_tests(text.splitlines(), Printer())
    except (ImportError, TypeError):
        return kunit_parser.parse_run_tests(text.splitlines())


def failures(test, path=''):
    """Names of all failed tests below @test."""
    name = f'{path}.{test.name}' if path else test.name
    bad = []
    if not test.subtests and str(test.status.name) in (
            'FAILURE', 'TEST_CRASHED', 'FAILURE_TO_PARSE_TESTS', 'NO_TESTS'):
        bad.append(f'{name}: {test.status.name}')
    for sub in test.subtests:
        bad += failures(sub, name)
    return bad
