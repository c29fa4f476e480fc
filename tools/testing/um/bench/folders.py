# SPDX-License-Identifier: GPL-2.0
"""A folder of each file system for the benchmarks file_4m_*, on the host and in guests.

What can't be had is left out: mounts on the host need its root, xfs in a guest needs
xfsprogs and the modules of this build.  A host without the right to mount lends the
file system of the build folder for those that lie on a disk.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import images
from harness.paths import BUILD

MODULES = ('lib/libcrc32c.ko', 'fs/xfs/xfs.ko')
TMPFS = {'tmpfs': 'size=64M', 'huge': 'size=64M,huge=within_size'}
DISKS = ('ext4', 'xfs')
SIZE = '320M'			# mkfs.xfs refuses less than 300


def _quiet(*words):
    return subprocess.run([str(w) for w in words], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def _image(path):
    """An image with the file system that its name says; None if there is no mkfs."""
    program = shutil.which(f'mkfs.{path.stem}', path='/usr/sbin:/sbin:/usr/bin:/bin')
    if not program:
        return None
    images.blank(path, SIZE)
    return path if _quiet(program, '-q', path) else None


class Host:
    """The host's folders, as long as they are used."""

    def __init__(self):
        self.top = Path(tempfile.mkdtemp(prefix='umb-', dir=BUILD))
        self.mounted = []
        for name, option in TMPFS.items():
            self._mount(name, '-t', 'tmpfs', '-o', option, 'tmpfs')
        for name in DISKS:
            image = _image(self.top / f'{name}.img')
            if not image or not self._mount(name, '-o', 'loop', image):
                (self.top / name).mkdir(exist_ok=True)

    def _mount(self, name, *words):
        folder = self.top / name
        folder.mkdir()
        if _quiet('mount', *words, folder):
            self.mounted.append(folder)
            return True
        folder.rmdir()
        return False

    def close(self):
        """Leave nothing."""
        for folder in self.mounted:
            _quiet('umount', folder)
        shutil.rmtree(self.top)


def _put(image, files):
    """Write files to an ext4 image that nobody uses."""
    for name in files:
        if not _quiet('/sbin/debugfs', '-w', '-R', f'write {BUILD}/out/{name} /{Path(name).name}',
                      image):
            return False
    return True


def prepare(root, folder, own):
    """Before a guest starts: arguments for it; @own is whether it is our kernel."""
    modules = own and all((BUILD / 'out' / name).exists() for name in MODULES)
    xfs = _image(folder / 'xfs.img') if modules and _put(root, MODULES) else None
    return [f'ubd1={xfs}'] if xfs else []


def mount(guest):
    """In the guest: make the folders."""
    guest.run('mkdir -p /files/tmpfs /files/huge /files/ext4 /files/xfs')
    for name, option in TMPFS.items():
        guest.run(f'mount -t tmpfs -o {option} tmpfs /files/{name} || rmdir /files/{name}')
    for name in MODULES:
        guest.run(f'insmod /{Path(name).name} 2> /dev/null')
    guest.run('mount -t xfs /dev/ubdb /files/xfs || rmdir /files/xfs')
