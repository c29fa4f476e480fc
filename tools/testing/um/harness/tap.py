# SPDX-License-Identifier: GPL-2.0
"""Reading what the guest programs print (TAP; the kernel's KTAP is close)."""

import re

LINE = re.compile(r'^\s*(not ok|ok)\s+(\d+)\s*(?:-\s*)?([^#]*?)\s*(?:#\s*(\w+)\s*(.*))?$')


class Tap:
    """The results of one program.

    passed, failed, skipped: descriptions; problems: what is wrong with the
    output itself (no plan, wrong count, bail out).
    """

    def __init__(self, text):
        self.passed, self.failed, self.skipped, self.problems = [], [], [], []
        self.text = text
        plan = None
        note = None
        for line in text.replace('\r', '').splitlines():
            match = LINE.match(line)
            if match:
                word, number, what, directive, reason = match.groups()
                label = f'{number} {what}'
                if directive and directive.upper() == 'SKIP':
                    self.skipped.append(f'{label}: {reason}')
                    note = None
                elif word == 'ok':
                    self.passed.append(label)
                    note = None
                else:
                    self.failed.append(label)
                    note = len(self.failed) - 1
            elif re.match(r'^\d+\.\.(\d+)$', line):
                plan = int(line.split('..')[1])
            elif line.startswith('Bail out!'):
                self.problems.append(line)
            elif line.startswith('# ') and note is not None:
                self.failed[note] += f'\n    {line}'
        total = len(self.passed) + len(self.failed) + len(self.skipped)
        if plan is None:
            self.problems.append(f'no plan: the program did not end ({total} results)')
        elif plan != total:
            self.problems.append(f'{plan} results planned, {total} seen')
        if not total:
            self.problems.append('no results at all')

    def check(self):
        """Raise with all failures, each with its diagnosis."""
        bad = self.failed + self.problems
        if bad:
            raise AssertionError(
                f'{len(self.failed)} of '
                f'{len(self.passed) + len(self.failed)} failed:\n'
                + '\n'.join(bad) + f'\nlast output:\n{self.text[-1500:]}')
