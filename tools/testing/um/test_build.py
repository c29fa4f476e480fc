# SPDX-License-Identifier: GPL-2.0
"""Building: configurations link and start, our folders compile without a word.

Each build has an O= of its own that is kept, so a second run is quick.
"""

import os
import re
import shutil
import subprocess
import time

import pytest

from harness.kbuild import Build
from harness.paths import BUILD, KERNEL, SOURCE, TOP

pytestmark = pytest.mark.build


def make(*words, **kwargs):
    """The top Makefile, quick answers only."""
    return subprocess.run(['make', '-C', TOP, *words], capture_output=True,
                          text=True, timeout=120, check=False, **kwargs)


def starts(guest, linux, *args):
    """A kernel that can't do much: it must reach its own panic or init."""
    g = guest(*args, 'mem=64M', kernel=linux)
    g.expect(r'VFS: Unable to mount root|No working init|No init found|'
             r'Unable to mount root|UM-TEST-READY', panic_ok=True)
    g.wait_exit()


def test_tinyconfig(guest):
    """tinyconfig links and starts; it has no console to say so.

    It ends by itself, in a panic for want of a root.
    """
    build = Build('tiny')
    build.configure('tinyconfig')
    build.make('linux')
    assert subprocess.run([build.linux, '--version'], check=False,
                          stdout=subprocess.DEVNULL).returncode == 0
    assert guest('mem=64M', kernel=build.linux).wait_exit() != 0


def test_allnoconfig(guest):
    """allnoconfig links and starts."""
    build = Build('allno')
    build.configure('allnoconfig')
    build.make('linux')
    assert subprocess.run([build.linux, '--version'], check=False,
                          stdout=subprocess.DEVNULL).returncode == 0
    text = (build.dir / '.config').read_text()
    if 'CONFIG_PRINTK=y' in text:
        starts(guest, build.linux)


def our_objects(build, *words):
    """Build our folders alone; a missing one of them is left out."""
    folders = [f for f in ('arch/um/', 'arch/x86/um/', 'fs/hostfs/')
               if (TOP / f / 'Makefile').exists() or (TOP / f / 'Kbuild').exists()]
    build.make('prepare', *words)
    build.make(*words, *folders)
    return build.complaints()


def test_w1():
    """W=1 finds nothing in our folders."""
    build = Build('w1')
    build.configure('defconfig')
    found = our_objects(build, 'W=1')
    assert not found, '\n'.join(found)


def test_sparse():
    """So does sparse."""
    if not shutil.which('sparse'):
        pytest.skip('sparse is not installed')
    build = Build('sparse')
    build.configure('defconfig')
    found = our_objects(build, 'C=2', 'CHECK=sparse')
    assert not found, '\n'.join(found)


def test_clang():
    """clang compiles our folders without a warning."""
    if not shutil.which('clang'):
        pytest.skip('clang is not installed')
    build = Build('clang')
    build.configure('defconfig')
    llvm = 'LLVM=1' if shutil.which('ld.lld') else 'CC=clang'
    build.make('olddefconfig', llvm)
    found = our_objects(build, llvm)
    assert not found, '\n'.join(found)


@pytest.mark.long
def test_clang_kernel(guest, busybox):
    """A whole kernel by clang boots."""
    if not shutil.which('ld.lld'):
        pytest.skip('lld is not installed')
    build = Build('clang-kernel')
    build.make('defconfig', 'LLVM=1')
    build.make('linux', 'LLVM=1')
    g = guest(f'ubd0r={busybox}', 'mem=128M', kernel=build.linux).boot()
    assert 'clang' in g.out('cat /proc/version')
    assert g.poweroff() == 0


@pytest.mark.long
def test_static(guest, busybox):
    """STATIC_LINK: no dynamic section, and it boots."""
    build = Build('static')
    build.configure('defconfig', STATIC_LINK='y')
    build.make('linux')
    done = subprocess.run(['readelf', '-d', build.linux], capture_output=True, text=True,
                          check=True)
    assert 'NEEDED' not in done.stdout
    g = guest(f'ubd0r={busybox}', 'mem=128M', kernel=build.linux).boot()
    assert g.poweroff() == 0


@pytest.mark.long
@pytest.mark.parametrize('name,symbols', [
    ('preempt', {'PREEMPT': 'y'}),
    ('voluntary', {'PREEMPT_VOLUNTARY': 'y'}),
    ('none', {'PREEMPT_NONE': 'y'}),
    ('debug', {'PROVE_LOCKING': 'y', 'DEBUG_ATOMIC_SLEEP': 'y', 'DEBUG_VM': 'y',
               'DEBUG_PAGEALLOC': 'y', 'SLUB_DEBUG_ON': 'y', 'SCHED_STACK_END_CHECK': 'y',
               'DEBUG_LIST': 'y', 'DEBUG_IRQFLAGS': 'y'}),
])
def test_variants(guest, busybox, name, symbols):
    """Preemption models and lock debugging: boot, run the storm, no complaint."""
    build = Build(name)
    build.configure('defconfig', **symbols)
    build.make('linux')
    g = guest(f'ubd0r={busybox}', 'mem=512M', kernel=build.linux).boot()
    code, text = g.run('/tests/storm --seconds 20', timeout=300)
    assert code == 0, text
    for program in ('syscalls', 'signals', 'fp', 'process', 'mm'):
        code, text = g.run(f'/tests/{program}', timeout=300)
        assert code == 0, text
    log = g.out('dmesg')
    for word in ('WARNING:', 'BUG:', 'Oops', 'possible circular', 'inconsistent lock'):
        assert word not in log, log[log.find(word):][:3000]
    assert g.poweroff() == 0


def test_nothing_to_do():
    """A second build after no change does nothing, in seconds."""
    if not (BUILD / 'out' / 'linux').exists():
        pytest.skip('build/out holds no kernel')
    make('linux')
    before = (BUILD / 'out' / 'linux').stat().st_mtime_ns
    start = time.monotonic()
    done = make('linux')
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - start < 60
    assert (BUILD / 'out' / 'linux').stat().st_mtime_ns == before


def test_run(guest):
    """make run makes the image if there is none and boots to a shell."""
    image = BUILD / 'images' / 'busybox.img'
    aside = image.with_suffix('.aside')
    if image.exists():
        image.rename(aside)
    try:
        g = guest('-C', TOP, 'run', kernel='make', raw=True, keep=r'(?!\.uml/)\..*',
                  env={name: None for name in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL',
                                               'MAKEOVERRIDES')})
        g.boot(timeout=600)
        assert g.out('uname -s') == 'Linux'
        assert g.poweroff() == 0
        assert image.exists()
    finally:
        if aside.exists():
            aside.replace(image)


def test_other_arch():
    """ARCH other than um: one clear line."""
    done = make('ARCH=arm64', 'defconfig')
    assert done.returncode != 0
    assert 'arm64' in done.stderr and 'um' in done.stderr
    assert len([x for x in done.stderr.splitlines() if x.strip()]) <= 3, done.stderr


def test_dep():
    """make dep is answered."""
    done = make('dep')
    assert done.returncode == 0
    assert 'not needed' in done.stdout + done.stderr


def test_missing_tarball(tmp_path):
    """No base kernel: the message names what was looked for."""
    done = subprocess.run([TOP / 'scripts' / 'compose'], capture_output=True, text=True,
                          env={**os.environ, 'UM_BASE_TARBALL': str(tmp_path / 'none.tar.xz')},
                          timeout=60, check=False)
    assert done.returncode != 0
    assert 'none.tar.xz' in done.stderr and len(done.stderr.splitlines()) == 1


def test_halves_stay_apart():
    """libc and the kernel can't capture each other's symbols.

    Names that both have must exist twice or be local on the kernel's side.
    """
    done = subprocess.run(['nm', KERNEL], capture_output=True, text=True, check=True)
    kinds = {}
    for line in done.stdout.splitlines():
        match = re.match(r'\s*([0-9a-f]*) (\w) (\S+)$', line)
        if match:
            kinds.setdefault(match.group(3).split('@')[0], []).append(match.group(2))
    for name in ('printk', '_printk', 'kmalloc', 'schedule', 'start_kernel', 'memcpy',
                 'strlen', 'vsnprintf', 'malloc', 'free', 'sprintf', 'sort', 'bsearch'):
        for kind in kinds.get(name, []):
            assert kind in 'tUidrbwW', f'{name} is global in {KERNEL}: {kind}'


def test_readme_names_the_commands():
    """The first screen of README.md holds the two commands."""
    text = '\n'.join((TOP / 'README.md').read_text().splitlines()[:40])
    assert 'make run' in text and 'make test' in text
    assert 'ubd0=' in text


def test_clean_room():
    """In the composed tree our folders hold links into this repository only."""
    for folder in ('arch/um', 'arch/x86/um', 'fs/hostfs'):
        for root, _, files in os.walk(SOURCE / folder):
            for name in files:
                path = os.path.join(root, name)
                assert os.path.islink(path), f'{path} is not ours'
                assert os.path.realpath(path).startswith(str(TOP))
