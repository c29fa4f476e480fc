# SPDX-License-Identifier: GPL-2.0
"""The host's compiler and common programs as a tree that a guest can chroot to.

Guest and host must run the very same programs, or a ratio says nothing.  So what the
host has is copied, with the libraries, headers and start-up files it needs, to
the same paths.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

COMMANDS = ('sh', 'make', 'tar', 'gcc', 'as', 'ld', 'strip', 'sed', 'grep', 'cat', 'cp', 'mv', 'rm',
            'mkdir', 'touch', 'true', 'ls', 'pwd', 'dirname', 'basename', 'uname', 'expr', 'tr',
            'env', 'find', 'sort', 'ln', 'chmod', 'sync')


def _gcc(*words):
    return subprocess.run(['gcc', *words], capture_output=True, text=True, check=True).stdout.strip()


def _copy(path, tree):
    """One file to its place in the tree: links are followed, so nothing leads astray."""
    source, target = Path(os.path.realpath(path)), tree / str(path).lstrip('/')
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif not target.exists():
        shutil.copy2(source, target)


def _libraries(programs):
    text = subprocess.run(['ldd', *programs], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r'(/\S+) \(0x', text))


def make(tree):
    """Fill the folder @tree."""
    tree.mkdir(parents=True)
    for name in ('bin', 'lib', 'lib64', 'sbin'):
        if Path('/', name).is_symlink():
            (tree / 'usr' / name).mkdir(parents=True, exist_ok=True)
            (tree / name).symlink_to(f'usr/{name}')
    for name in ('tmp', 'proc', 'dev', 'work'):
        (tree / name).mkdir()
    programs = [shutil.which(name) for name in COMMANDS]
    assert None not in programs, dict(zip(COMMANDS, programs))
    programs += [_gcc(f'-print-prog-name={name}') for name in ('cc1', 'collect2')]
    for path in {*programs, *_libraries(programs), '/usr/include/linux', '/usr/include/asm-generic',
                 _gcc('-print-file-name=include'), _gcc('-print-file-name=liblto_plugin.so')}:
        _copy(path, tree)
    triple = _gcc('-print-multiarch') or '.'
    for path in (*Path('/usr/include').glob('*.h'), Path('/usr/include', triple)):
        _copy(path, tree)
    for name in ('crt1.o', 'Scrt1.o', 'crti.o', 'crtn.o', 'crtbegin.o', 'crtbeginS.o', 'crtend.o',
                 'crtendS.o', 'libgcc.a', 'libgcc_s.so', 'libgcc_s.so.1', 'libc.so', 'libc.so.6',
                 'libc_nonshared.a', 'libm.so', 'libm.so.6', 'libmvec.so.1', 'libpthread.a',
                 'librt.a', 'libdl.a'):
        path = _gcc(f'-print-file-name={name}')
        if os.path.isabs(path):
            # As gcc will look for it: .../gcc/x86_64-linux-gnu/12/../../../x86_64-linux-gnu.
            _copy(os.path.normpath(path), tree)
    return tree
