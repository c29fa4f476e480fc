# SPDX-License-Identifier: GPL-2.0
"""Going through the steps of a benchmark program (measure.h)."""

import os
import uuid

import pexpect

from harness import hostproc


def measure(con, expect, mark):
    """Go through the program's steps; yields (benchmark, ns, operations, CPU ns, costs)."""
    while expect([r'(\w+) ready\r', r'bench done\r']) == 0:
        before = hostproc.cpu_ns(con.pid, mark)
        con.sendline()
        expect(r'\w+ costs(.*?)\r\n(\w+) ([\d.]+) (\d+)\r')
        costs, name, ns, count = con.match.groups()
        used = hostproc.cpu_ns(con.pid, mark) - before
        con.sendline()
        yield name, float(ns), int(count), used, dict(c.split('=') for c in costs.split())


class Program:
    """A run of a benchmark program on the host."""

    def __init__(self, program, args):
        self.mark = uuid.uuid4().hex
        self.con = pexpect.spawn(str(program), args, encoding='utf-8', timeout=600,
                                 env={**os.environ, hostproc.MARK: self.mark})
        self.con.delaybeforesend = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.con.close()

    def measure(self):
        """See measure()."""
        yield from measure(self.con, self.con.expect, self.mark)
