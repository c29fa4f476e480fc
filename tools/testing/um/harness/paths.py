# SPDX-License-Identifier: GPL-2.0
"""Where things are.

UM_KERNEL names another kernel to test than ./linux, UM_KERNEL_ARGS what is
added to each of its command lines (e.g. "usermode=ptrace").
"""

import os
import shlex
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
TOP = HERE.parents[2]
BUILD = TOP / 'build'
SOURCE = BUILD / 'source'
TESTS = BUILD / 'tests'
LOGS = TESTS / 'log'
PROGRAMS = TESTS / 'bin'
KERNEL = Path(os.environ.get('UM_KERNEL', TOP / 'linux')).absolute()
KERNEL_ARGS = shlex.split(os.environ.get('UM_KERNEL_ARGS', ''))
MKIMAGE = TOP / 'scripts' / 'mkimage'
