# SPDX-License-Identifier: GPL-2.0
"""uml_mkcow and uml_moo of tools/um.

Promise: they do what the tools of these names in uml-utilities do, with the same
command lines and, byte for byte, the same files; what fails, fails before
anything was changed.
"""

import json
import os
import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from harness import tools
from harness.tools import V1, V1_SWAPPED, V2, V3, V3_BROKEN

REAL = {name: shutil.which(name) for name in ('uml_mkcow', 'uml_moo')}
needs_real = pytest.mark.skipif(not all(REAL.values()), reason='uml-utilities is missing')
FORMS = [V1, V1_SWAPPED, V2, V3, V3_BROKEN]


@pytest.fixture(scope='module', name='ours')
def _ours():
    """Our programs by name."""
    return tools.build()


def run(program, *args, **kwargs):
    """A program's result."""
    return subprocess.run([program, *map(str, args)], capture_output=True, text=True,
                          check=False, **kwargs)


def good(program, *args, **kwargs):
    """The output of a program that must succeed."""
    done = run(program, *args, **kwargs)
    assert done.returncode == 0, done
    return done.stdout


def snapshot(folder):
    """Names, contents and times of all files."""
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in Path(folder).iterdir()
            if p.is_file()}


def image(path, size, seed=1):
    """An image with data and holes."""
    rnd = random.Random(seed)
    with open(path, 'wb') as f:
        for at in range(0, size, 20000):
            if rnd.random() < 0.6:
                f.seek(at)
                f.write(rnd.randbytes(min(rnd.randint(1, 15000), size - at)))
        f.truncate(size)
    return path


# -- uml_mkcow ------------------------------------------------------------

@needs_real
@pytest.mark.parametrize('size', [1, 511, 512, 513, 1000, 4096, 32768, 301056, 1000000, 40 << 20])
def test_mkcow_same_bytes(ours, tmp_path, size):
    """The file is the same as that of the real tool."""
    image(tmp_path / 'b', size)
    good(REAL['uml_mkcow'], 'real', 'b', cwd=tmp_path)
    good(ours['uml_mkcow'], 'mine', 'b', cwd=tmp_path)
    assert (tmp_path / 'real').read_bytes() == (tmp_path / 'mine').read_bytes()
    assert (tmp_path / 'mine').stat().st_blocks <= (tmp_path / 'real').stat().st_blocks
    assert (tmp_path / 'mine').stat().st_mode == (tmp_path / 'real').stat().st_mode


@needs_real
@pytest.mark.parametrize('name', ['b', './b', 'd/../b', 'd/link/b', 'symlink', 'd/./b2',
                                  '/proc/self/cwd/b'])
def test_mkcow_same_path(ours, tmp_path, name):
    """The backing file's name is stored as the real tool stores it."""
    (tmp_path / 'd').mkdir()
    image(tmp_path / 'b', 5000)
    image(tmp_path / 'd' / 'b2', 5000)
    (tmp_path / 'symlink').symlink_to('b')
    (tmp_path / 'd' / 'link').symlink_to(tmp_path)
    good(REAL['uml_mkcow'], 'real', name, cwd=tmp_path)
    good(ours['uml_mkcow'], 'mine', name, cwd=tmp_path)
    assert (tmp_path / 'real').read_bytes() == (tmp_path / 'mine').read_bytes()


def test_mkcow_command_line(ours, tmp_path):
    """Exit codes and messages are those of the real tool."""
    mkcow = ours['uml_mkcow']
    image(tmp_path / 'b', 5000)
    good(mkcow, 'c', 'b', cwd=tmp_path)
    before = snapshot(tmp_path)
    done = run(mkcow, 'c', 'b', cwd=tmp_path)
    assert done.returncode == 1 and 'open COW file: File exists' in done.stderr
    for args in ([], ['c'], ['a', 'b', 'c'], ['-x', 'c', 'b']):
        done = run(mkcow, *args, cwd=tmp_path)
        assert done.returncode == 2 and 'usage' in done.stderr, args
    for args in (['new', 'missing'], ['new', '.'], ['new', '/dev/null'], ['new', 'c'],
                 ['missing/new', 'b'], ['-f', 'b', 'b'], ['-f', '.', 'b']):
        done = run(mkcow, *args, cwd=tmp_path)
        assert done.returncode == 1 and done.stderr.startswith('uml_mkcow: '), args
        assert len(done.stderr.splitlines()) == 1, done.stderr
    assert snapshot(tmp_path) == before
    assert 'usage' in good(mkcow, '--help') and 'uml_mkcow' in good(mkcow, '--version')


def test_mkcow_force(ours, tmp_path):
    """-f begins anew: nothing of the old bitmap is left, rights stay."""
    back = image(tmp_path / 'b', 100000)
    cow = tmp_path / 'c'
    tools.write_cow(cow, back, V3, {5: b'x' * 512, 100: b'y' * 512})
    cow.chmod(0o600)
    good(ours['uml_mkcow'], '-f', cow, back)
    assert json.loads(good(ours['uml_moo'], 'info', '--json', cow))['own-sectors'] == 0
    assert cow.stat().st_mode & 0o777 == 0o600
    good(ours['uml_mkcow'], tmp_path / 'c2', back, '-f')	# anywhere, as getopt has it
    assert sorted(p.name for p in tmp_path.iterdir()) == ['b', 'c', 'c2']


def test_mkcow_small(ours, tmp_path):
    """A new COW file takes a few blocks of the disk, however large the image is."""
    with open(tmp_path / 'big', 'wb') as f:
        f.truncate(1600 << 20)
    with open(tmp_path / 'huge', 'wb') as f:
        f.truncate(17179869185)
    for name in ('big', 'huge'):
        good(ours['uml_mkcow'], tmp_path / f'{name}.cow', tmp_path / name)
        st = (tmp_path / f'{name}.cow').stat()
        assert st.st_blocks * 512 <= 100 << 10
        assert st.st_size > (tmp_path / name).stat().st_size


# -- uml_moo --------------------------------------------------------------

def changes(size, seed, sectors=None):
    """Some sectors and what they are changed to; zeroes among them."""
    rnd = random.Random(seed)
    count = -(-size // 512) if sectors is None else sectors
    result = {}
    for _ in range(min(60, count)):
        n = rnd.randrange(count)
        for k in range(n, min(n + rnd.randint(1, 20), count)):
            result[k] = bytes(512) if rnd.random() < 0.2 else rnd.randbytes(512)
    return result


def merged(back, change, size):
    """What the disk is."""
    disk = bytearray(back.ljust(-(-size // 512) * 512, b'\0'))
    for n, data in change.items():
        disk[n * 512:n * 512 + 512] = data
    return bytes(disk) if any(disk[size:]) else bytes(disk[:size])


@pytest.mark.parametrize('size', [512, 1000, 4096, 32768, 40000, 1000000])
@pytest.mark.parametrize('form', FORMS, ids=lambda f: f.name)
def test_moo(ours, tmp_path, form, size):
    """Every version is merged right: into a new file and into the old one."""
    back = image(tmp_path / 'b', size)
    original = back.read_bytes()
    # What old versions have no bit for is tested below.
    change = changes(size, 7, form.tracked(size))
    cow = tools.write_cow(tmp_path / 'c', back, form, change)
    want = merged(original, change, size)
    before = snapshot(tmp_path)
    good(ours['uml_moo'], cow, tmp_path / 'new')
    assert (tmp_path / 'new').read_bytes() == want
    (tmp_path / 'new').unlink()
    assert snapshot(tmp_path) == before
    good(ours['uml_moo'], '-d', cow)
    assert back.read_bytes() == want
    if change:
        # Other COW files of this image must not be used any more.
        done = run(ours['uml_moo'], cow, tmp_path / 'new')
        assert done.returncode == 1 and 'mismatch' in done.stderr
        assert not (tmp_path / 'new').exists()


@needs_real
@pytest.mark.parametrize('size', [512, 4096, 32768, 40960, 1048576])
@pytest.mark.parametrize('form', FORMS, ids=lambda f: f.name)
def test_moo_like_the_real_one(ours, tmp_path, form, size):
    """The same file, merged by both tools: the same image."""
    back = image(tmp_path / 'b', size)
    cow = tools.write_cow(tmp_path / 'c', back, form, changes(size, 3, form.tracked(size)))
    good(REAL['uml_moo'], cow, tmp_path / 'real')
    good(ours['uml_moo'], cow, tmp_path / 'mine')
    # The old versions of other sizes than a multiple of 4096 differ in the end.
    if size % 4096 == 0 or form in (V3, V3_BROKEN):
        assert (tmp_path / 'real').read_bytes() == (tmp_path / 'mine').read_bytes()


@needs_real
def test_both_directions(ours, tmp_path):
    """Files of the real uml_mkcow and ours, changed, merged by either tool."""
    back = image(tmp_path / 'b', 400000 // 512 * 512)
    change = changes(400000 // 512 * 512, 9)
    want = merged(back.read_bytes(), change, back.stat().st_size)
    for maker in (REAL['uml_mkcow'], ours['uml_mkcow']):
        good(maker, tmp_path / 'c', back)
        tools.change_cow(tmp_path / 'c', V3, back.stat().st_size, change)
        for merger in (REAL['uml_moo'], ours['uml_moo']):
            good(merger, tmp_path / 'c', tmp_path / 'm')
            assert (tmp_path / 'm').read_bytes() == want
            (tmp_path / 'm').unlink()
        (tmp_path / 'c').unlink()


@pytest.mark.parametrize('form', [V1, V2], ids=lambda f: f.name)
def test_forgotten_sectors(ours, tmp_path, form):
    """The last sectors of an odd-sized disk in an old version are the backing file's."""
    back = image(tmp_path / 'b', 512 * 20)
    change = {1: b'a' * 512, 15: b'b' * 512}
    cow = tools.write_cow(tmp_path / 'c', back, form, change)
    done = run(ours['uml_moo'], cow, tmp_path / 'm')
    assert done.returncode == 0 and 'last 4 sectors' in done.stderr
    assert (tmp_path / 'm').read_bytes() == merged(back.read_bytes(), change, 512 * 20)


def test_tail(ours, tmp_path):
    """A cut off last sector keeps its length, unless something is in the rest."""
    back = image(tmp_path / 'b', 1000)
    for data, size in ((b'x' * 488 + bytes(24), 1000), (b'x' * 512, 1024)):
        cow = tools.write_cow(tmp_path / 'c', back, V3, {1: data})
        good(ours['uml_moo'], cow, tmp_path / 'm')
        assert (tmp_path / 'm').read_bytes() == (back.read_bytes()[:512] + data)[:size]
        cow.unlink()


@pytest.mark.parametrize('order', [['-b', 'other', '-d', 'c'], ['-d', '-b', 'other', 'c'],
                                   ['-b', 'other', 'c', 'm'], ['c', 'm', '-b', 'other']])
def test_moo_backing(ours, tmp_path, order):
    """-b names the backing file, in any order of words; the same checks apply."""
    back = image(tmp_path / 'b', 50000)
    cow = tools.write_cow(tmp_path / 'c', back, V3, {3: b'3' * 512})
    shutil.copy2(back, tmp_path / 'other')
    back.unlink()
    done = run(ours['uml_moo'], 'c', 'm2', cwd=tmp_path)
    assert done.returncode == 1 and str(back) in done.stderr
    header = cow.read_bytes()[:4128]
    want = merged((tmp_path / 'other').read_bytes(), {3: b'3' * 512}, 50000)
    os.utime(tmp_path / 'other', (5, 5))
    assert run(ours['uml_moo'], *order, cwd=tmp_path).returncode == 1
    stamp = struct.unpack('>I', header[8:12])[0]
    os.utime(tmp_path / 'other', (stamp, stamp))
    good(ours['uml_moo'], *order, cwd=tmp_path)
    assert (tmp_path / ('other' if '-d' in order else 'm')).read_bytes() == want
    assert cow.read_bytes()[:4128] == header


def test_changed_backing(ours, tmp_path):
    """A changed backing file is refused; the message says what helps; it helps."""
    back = image(tmp_path / 'b', 50000)
    cow = tools.write_cow(tmp_path / 'c', back, V3, {3: b'3' * 512})
    stamp = int(back.stat().st_mtime)
    os.utime(back, (1000, 1000))
    done = run(ours['uml_moo'], cow, tmp_path / 'm')
    assert done.returncode == 1
    assert f'mtime mismatch ({stamp} vs 1000) of COW header vs backing file' in done.stderr
    assert f"touch -d @{stamp} '{back}'" in done.stderr
    want = merged(back.read_bytes(), {3: b'3' * 512}, 50000)
    good(ours['uml_moo'], '--accept', cow, tmp_path / 'm')
    assert (tmp_path / 'm').read_bytes() == want
    subprocess.run(['touch', '-d', f'@{stamp}', back], check=True)
    good(ours['uml_moo'], cow, tmp_path / 'm')
    with open(back, 'ab') as f:
        f.write(b'more')
    os.utime(back, (stamp, stamp))
    done = run(ours['uml_moo'], cow, tmp_path / 'm2')
    assert done.returncode == 1
    assert 'Size mismatch (50000 vs 50004) of COW header vs backing file' in done.stderr
    good(ours['uml_moo'], '-a', cow, tmp_path / 'm2')
    assert (tmp_path / 'm2').read_bytes() == want


def test_merge_of_the_same_second(ours, tmp_path):
    """-d makes other COW files invalid also if the image is as young as they are."""
    back = image(tmp_path / 'b', 50000)
    for name in ('one', 'two'):
        tools.write_cow(tmp_path / name, back, V3, {3: b'3' * 512})
    good(ours['uml_moo'], '-d', tmp_path / 'one')
    done = run(ours['uml_moo'], tmp_path / 'two', tmp_path / 'm')
    assert done.returncode == 1 and 'mismatch' in done.stderr


def test_sparse(ours, tmp_path):
    """Zeroes and holes take no room, in a new image and in the old one."""
    back = tmp_path / 'b'
    with open(back, 'wb') as f:
        f.write(b'x' * (4 << 20))
        f.truncate(64 << 20)
    cow = tools.write_cow(tmp_path / 'c', back, V3,
                          {n: bytes(512) for n in range(2 << 11, 4 << 11)})
    good(ours['uml_moo'], cow, tmp_path / 'm')
    assert (tmp_path / 'm').stat().st_blocks * 512 <= (2 << 20) + 65536
    assert (tmp_path / 'm').read_bytes() == b'x' * (2 << 20) + bytes(62 << 20)
    good(ours['uml_moo'], '-d', cow)
    assert back.stat().st_blocks * 512 <= (2 << 20) + 65536
    assert back.read_bytes() == b'x' * (2 << 20) + bytes(62 << 20)


def test_moo_sparse(ours, tmp_path):
    """A bitmap of a TiB that is one hole takes no time."""
    back = image(tmp_path / 'b', 100000)
    with open(tmp_path / 'c', 'wb') as f:
        f.write(V2.header(back, int(back.stat().st_mtime), 1 << 52))
        f.truncate(2 << 40)
    done = run(ours['uml_moo'], 'info', '--json', tmp_path / 'c', timeout=60)
    assert json.loads(done.stdout)['own-sectors'] == 0, done


@pytest.mark.parametrize('write', [False, True])
def test_moo_target_in_use(ours, tmp_path, write):
    """An image that a machine uses is not replaced."""
    back = image(tmp_path / 'b', 100000)
    cow = tools.write_cow(tmp_path / 'c', back, V3, {0: b'x' * 512})
    image(tmp_path / 'm', 1000)
    before = snapshot(tmp_path)
    with tools.locked(tmp_path / 'm', write):
        for args in ((cow, tmp_path / 'm'), ('convert', cow, tmp_path / 'm'),
                     ('convert', '-O', 'qcow2', cow, tmp_path / 'm')):
            done = run(ours['uml_moo'], *args)
            assert done.returncode == 1 and 'Failed to lock' in done.stderr, (args, done)
            assert snapshot(tmp_path) == before
    good(ours['uml_moo'], cow, tmp_path / 'm')


def test_moo_no_magic(ours, tmp_path):
    """No image is made that would be opened as a COW file."""
    back = image(tmp_path / 'b', 100000)
    cow = tools.write_cow(tmp_path / 'c', back, V3, {0: b'OOOM' + bytes(508)})
    before = snapshot(tmp_path)
    for args in ((cow, tmp_path / 'm'), ('-d', cow), ('convert', cow, tmp_path / 'm'),
                 ('convert', '-O', 'qcow2', cow, tmp_path / 'm')):
        done = run(ours['uml_moo'], *args)
        assert done.returncode == 1 and 'begins like a COW file' in done.stderr, (args, done)
        assert snapshot(tmp_path) == before


def test_moo_refuses(ours, tmp_path):
    """Wrong command lines and files: one message, exit code 1, nothing changed."""
    back = image(tmp_path / 'b', 50000)
    cow = tools.write_cow(tmp_path / 'c', back, V3, {3: b'3' * 512})
    (tmp_path / 'short').write_bytes(cow.read_bytes()[:2000])
    (tmp_path / 'newer').write_bytes(b'OOOM\0\0\0\4' + cow.read_bytes()[8:])
    (tmp_path / 'cut').write_bytes(cow.read_bytes()[:20000])
    before = snapshot(tmp_path)
    for args in (['c', 'c'], ['c', 'b'], ['c', '.'], ['c', '/dev/null'], ['c', 'no/where'],
                 ['b', 'new'], ['short', 'new'], ['newer', 'new'], ['cut', 'new'],
                 ['missing', 'new'], ['-b', 'missing', 'c', 'new'], ['-b', 'c', 'c', 'new'],
                 ['-d', 'b'], ['-d', 'missing'], ['convert', 'c', 'c'],
                 ['convert', '-O', 'nonsense', 'c', 'new'], ['info', 'missing'],
                 ['info', 'newer'], ['info', 'short']):
        done = run(ours['uml_moo'], *args, cwd=tmp_path)
        assert done.returncode == 1 and 'uml_moo: ' in done.stderr, (args, done)
        assert snapshot(tmp_path) == before, args
    for args in ([], ['-d'], ['c'], ['-d', 'c', 'new'], ['a', 'b', 'c'], ['-x', 'c', 'new'],
                 ['info'], ['info', '-d', 'c'], ['convert', '-d', 'c'], ['--json', 'c', 'new']):
        done = run(ours['uml_moo'], *args, cwd=tmp_path)
        assert done.returncode == 1 and 'usage' in done.stderr, (args, done)
        assert snapshot(tmp_path) == before, args
    assert 'usage' in good(ours['uml_moo'], '--help')
    assert 'uml_moo' in good(ours['uml_moo'], '--version')


def test_locked(ours, tmp_path):
    """What a machine uses is neither merged nor replaced; info works."""
    back = image(tmp_path / 'b', 50000)
    cow = tools.write_cow(tmp_path / 'c', back, V3, {3: b'3' * 512})
    other = tools.write_cow(tmp_path / 'c2', back, V3, {4: b'4' * 512})
    before = snapshot(tmp_path)
    with tools.locked(cow, write=True), tools.locked(back, write=False):
        for args in (['uml_moo', cow, tmp_path / 'm'], ['uml_moo', '-d', cow],
                     ['uml_mkcow', '-f', cow, back], ['uml_moo', '-d', other]):
            done = run(ours[args[0]], *args[1:])
            assert done.returncode == 1 and 'lock' in done.stderr, done
        assert snapshot(tmp_path) == before
        assert json.loads(good(ours['uml_moo'], 'info', '--json', cow))['in-use']
        good(ours['uml_moo'], other, tmp_path / 'm')	# backing files are shared
        (tmp_path / 'm').unlink()
    with tools.locked(back, write=True):
        assert run(ours['uml_moo'], cow, tmp_path / 'm').returncode == 1
        assert run(ours['uml_mkcow'], tmp_path / 'new', back).returncode == 1
    assert snapshot(tmp_path) == before
    assert not json.loads(good(ours['uml_moo'], 'info', '--json', cow))['in-use']


def test_info(ours, tmp_path):
    """What a COW file holds, as text and as JSON."""
    back = image(tmp_path / 'b"\\\n\x80\u00e9', 301056)
    cow = tools.write_cow(tmp_path / 'c', back, V3, {3: b'3' * 512, 9: b'9' * 512})
    info = json.loads(good(ours['uml_moo'], 'info', '--json', cow))
    assert info['format'] == 'cow' and info['version'] == 3 and not info['broken']
    assert info['backing-file'] == str(back) and info['backing-state'] == 'ok'
    assert (info['size'], info['sectors'], info['own-sectors'], info['own-data']) == \
        (301056, 588, 2, 1024)
    assert (info['bitmap-offset'], info['bitmap-length'], info['data-offset']) == (8192, 74, 12288)
    text = good(ours['uml_moo'], 'info', cow)
    assert 'own sectors:       2' in text and 'backing state:     ok' in text
    os.utime(back, (1, 1))
    assert 'other time' in good(ours['uml_moo'], 'info', cow)
    back.write_bytes(b'x')
    assert 'other size' in good(ours['uml_moo'], 'info', cow)
    info = json.loads(good(ours['uml_moo'], 'info', '--json', back))
    assert info['format'] == 'raw' and info['size'] == 1
    back.unlink()
    assert 'missing' in good(ours['uml_moo'], 'info', cow)


@pytest.mark.parametrize('form', FORMS, ids=lambda f: f.name)
def test_info_versions(ours, tmp_path, form):
    """Each version is told."""
    cow = tools.write_cow(tmp_path / 'c', image(tmp_path / 'b', 40960), form, {0: b'0' * 512})
    info = json.loads(good(ours['uml_moo'], 'info', '--json', cow))
    assert info['version'] == form.version and info['broken'] == (form is V3_BROKEN)
    assert info['own-sectors'] == 1


@pytest.mark.parametrize('kind', ['cow', 'raw'])
def test_convert(ours, tmp_path, kind):
    """COW files and images become raw images and qcow2 ones."""
    back = image(tmp_path / 'b', 1000000 // 512 * 512)
    want = back.read_bytes()
    source = back
    if kind == 'cow':
        change = changes(back.stat().st_size, 5)
        want = merged(want, change, back.stat().st_size)
        source = tools.write_cow(tmp_path / 'c', back, V3, change)
    before = snapshot(tmp_path)
    good(ours['uml_moo'], 'convert', source, tmp_path / 'raw')
    assert (tmp_path / 'raw').read_bytes() == want
    (tmp_path / 'raw').unlink()
    without = run(ours['uml_moo'], 'convert', '-O', 'qcow2', source, tmp_path / 'q',
                  env={'PATH': '/nowhere'})
    assert without.returncode == 1 and 'qemu-utils' in without.stderr
    assert snapshot(tmp_path) == before
    if not shutil.which('qemu-img'):
        pytest.skip('qemu-img is missing')
    good(ours['uml_moo'], 'convert', '-O', 'qcow2', source, tmp_path / 'q')
    assert (tmp_path / 'q').read_bytes()[:4] == b'QFI\xfb'
    (tmp_path / 'nbd:').mkdir()
    good(ours['uml_moo'], 'convert', '-O', 'qcow2', source, 'nbd:/q:1', cwd=tmp_path)
    assert (tmp_path / 'nbd:' / 'q:1').read_bytes()[:4] == b'QFI\xfb'
    shutil.rmtree(tmp_path / 'nbd:')
    good('qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', tmp_path / 'q', tmp_path / 'back')
    assert (tmp_path / 'back').read_bytes()[:len(want)] == want
    assert run(ours['uml_moo'], 'convert', '-O', 'nonsense', source,
               tmp_path / 'n').returncode == 1
    assert not [p for p in tmp_path.iterdir() if p.name not in ('b', 'c', 'q', 'back')]


# -- ends in the middle ---------------------------------------------------

@pytest.fixture(scope='module', name='dying')
def _dying(tmp_path_factory):
    """A library that ends a program before its n-th change of files."""
    return tools.build_dying(tmp_path_factory.mktemp('dying'))


def each_end(program, args, dying, again, folder):
    """Run it with an end before each change of files, from the first on."""
    for n in range(1, 1000):
        again()
        done = run(program, *args, cwd=folder,
                   env={**os.environ, 'LD_PRELOAD': str(dying), 'DIE_AT': str(n)})
        if done.returncode != 99:
            assert done.returncode == 0, done
            assert n > 3
            return
        yield n


def test_mkcow_ends(ours, dying, tmp_path):
    """Whenever uml_mkcow is ended, there is no COW file or a whole one."""
    back = image(tmp_path / 'b', 50000)
    good(ours['uml_mkcow'], tmp_path / 'want', back)
    want = (tmp_path / 'want').read_bytes()

    def again():
        (tmp_path / 'c').unlink(missing_ok=True)

    for _ in each_end(ours['uml_mkcow'], ['c', 'b'], dying, again, tmp_path):
        assert not (tmp_path / 'c').exists() or (tmp_path / 'c').read_bytes() == want
        assert {p.name for p in tmp_path.iterdir()} <= {'b', 'c', 'want'}


def test_moo_ends(ours, dying, tmp_path):
    """Whenever uml_moo is ended, the old image is there or the new one."""
    back = image(tmp_path / 'b', 50000)
    change = changes(50000, 2)
    tools.write_cow(tmp_path / 'c', back, V3, change)
    want = merged(back.read_bytes(), change, 50000)

    def again():
        (tmp_path / 'm').write_bytes(b'old')

    for _ in each_end(ours['uml_moo'], ['c', 'm'], dying, again, tmp_path):
        assert (tmp_path / 'm').read_bytes() in (b'old', want)


def test_moo_in_place_ends(ours, dying, tmp_path):
    """Whenever uml_moo -d is ended, it can be run again."""
    original = image(tmp_path / 'original', 50000)
    os.utime(original, (1000, 1000))
    back = tmp_path / 'b'
    shutil.copy2(original, back)
    change = changes(50000, 4)
    tools.write_cow(tmp_path / 'c', back, V3, change)
    want = merged(back.read_bytes(), change, 50000)

    def again():
        shutil.copy2(original, back)

    for _ in each_end(ours['uml_moo'], ['-d', 'c'], dying, again, tmp_path):
        good(ours['uml_moo'], '-d', '--accept', 'c', cwd=tmp_path)
        assert back.read_bytes() == want


def test_full_disk(ours, tmpfs, tmp_path):
    """A disk that gets full: a message, and nothing has changed."""
    small = tmpfs('1m')
    back = small / 'b'
    with open(back, 'wb') as f:
        f.truncate(4 << 20)
    os.utime(back, (1000, 1000))
    cow = tools.write_cow(tmp_path / 'c', back, V3, {n: b'x' * 512 for n in range(4000)})
    before = snapshot(small)
    for args in (['-d', cow], [cow, small / 'new']):
        done = run(ours['uml_moo'], *args)
        assert done.returncode == 1 and 'No space left' in done.stderr, done
        assert snapshot(small) == before


def test_make_install(tmp_path):
    """They are built without a kernel tree and installed with their pages."""
    good('make', '-s', '-C', tools.FOLDER, f'O={tmp_path}/o', f'DESTDIR={tmp_path}/d',
         'PREFIX=/usr', 'install')
    for name in REAL:
        assert name in good(tmp_path / 'd/usr/bin' / name, '--version')
        page = tmp_path / f'd/usr/share/man/man1/{name}.1'
        assert page.read_text().count('\n.SH ') >= 5
