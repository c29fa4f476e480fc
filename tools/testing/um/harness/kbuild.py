# SPDX-License-Identifier: GPL-2.0
"""Kernel builds for tests, each in an O= of its own below build/tests."""

import os
import re
import subprocess

from .paths import TESTS, TOP

# The folders that are ours; warnings elsewhere are not.
OURS = ('arch/um/', 'arch/x86/um/', 'fs/hostfs/', 'tools/um/')


class Build:
    """One object folder.

    make() runs the top Makefile, so that the tests use what users use.
    """

    def __init__(self, name):
        self.dir = TESTS / 'O' / name
        self.dir.mkdir(parents=True, exist_ok=True)
        self.text = ''

    def make(self, *words, check=True, timeout=3600):
        """make O=... words; returns its exit code, output in self.text."""
        jobs = f'-j{os.cpu_count() or 1}'
        env = {k: v for k, v in os.environ.items()
               if k not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL', 'MAKEOVERRIDES', 'O')}
        done = subprocess.run(['make', '-C', TOP, f'O={self.dir}', jobs, *words],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors='replace', env=env,
                              timeout=timeout, check=False)
        self.text = done.stdout
        (self.dir / 'make.log').write_text(self.text, encoding='utf-8')
        if check and done.returncode:
            errors = [line for line in self.text.splitlines()
                      if re.search(r'error|Error|\*\*\*|undefined', line)]
            raise AssertionError(f'make {" ".join(words)} failed:\n'
                                 + '\n'.join(errors[:20] or self.text.splitlines()[-20:]))
        return done.returncode

    def configure(self, target, **symbols):
        """make target, then set symbols ('y', 'n', 'm', a number or a string)."""
        self.make(target)
        if symbols:
            config = self.dir / '.config'
            text = config.read_text(encoding='utf-8')
            for name, value in symbols.items():
                text = re.sub(rf'^(# )?CONFIG_{name}[ =].*\n', '', text, flags=re.M)
                text += f'# CONFIG_{name} is not set\n' if value == 'n' else \
                    f'CONFIG_{name}={value}\n'
            config.write_text(text, encoding='utf-8')
            self.make('olddefconfig')
            text = config.read_text(encoding='utf-8')
            for name, value in symbols.items():
                if value != 'n':
                    assert f'CONFIG_{name}={value}\n' in text, \
                        f'CONFIG_{name}={value} did not survive olddefconfig'

    def complaints(self):
        """Warnings and errors of the last make that name a file of ours."""
        found = []
        for line in self.text.splitlines():
            if re.search(r'(warning|error):', line):
                path = line.split(':')[0].lstrip('./')
                path = re.sub(r'^.*?/(?=(arch/um|arch/x86/um|fs/hostfs|tools/um)/)', '', path)
                if path.startswith(OURS):
                    found.append(line)
        return found

    @property
    def linux(self):
        """The kernel that was built."""
        return self.dir / 'linux'
