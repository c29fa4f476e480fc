# SPDX-License-Identifier: GPL-2.0
"""The tools of tools/um, and COW files of every version made by hand."""

import fcntl
import os
import struct
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import images
from .paths import BUILD, HERE, TOP

FOLDER = TOP / 'tools' / 'um'
OUT = BUILD / 'tools'


def build():
    """Make what is out of date; the programs by name."""
    with images.locked('tools'):
        subprocess.run(['make', '-s', '-C', FOLDER, f'O={OUT}'], check=True)
    return {name: OUT / name for name in ('uml_mkcow', 'uml_moo')}


def build_host(name):
    """A test program of tools/testing/um/host."""
    out = BUILD / 'tests' / 'host'
    out.mkdir(parents=True, exist_ok=True)
    # Another worker may run the program: it can't be written then.
    with images.locked('host'):
        subprocess.run(['make', '-s', '-C', HERE / 'host', f'O={out}', out / name], check=True)
    return out / name


@dataclass(frozen=True)
class Form:
    """One version of the header. Numbers are struct formats."""
    name: str
    version: int
    length: int
    path: int
    mtime: tuple
    size: tuple
    sector: tuple
    alignment: tuple = None
    magic: str = '>'

    def header(self, backing, mtime, size, alignment=4096):
        """Its bytes."""
        data = bytearray(self.length)
        struct.pack_into(self.magic + 'II', data, 0, 0x4f4f4f4d, self.version)
        path = os.fsencode(backing)
        data[self.path:self.path + len(path)] = path
        for (kind, at), value in ((self.mtime, mtime), (self.size, size), (self.sector, 512)):
            struct.pack_into(kind, data, at, value)
        if self.alignment:
            struct.pack_into(self.alignment[0], data, self.alignment[1], alignment)
        return bytes(data)

    def tracked(self, size):
        """Sectors that have a bit."""
        sectors = -(-size // 512)
        return sectors if self.version == 3 else sectors // 8 * 8

    def layout(self, size, alignment=4096):
        """Offset of the bitmap, its length, offset of the data."""
        if self.version < 3:
            length = (size + 511) // 4096
            return self.length, length, -(-(self.length + length) // 512) * 512
        bitmap = -(-self.length // alignment) * alignment
        length = -(-(-(-size // 512)) // 8)
        return bitmap, length, -(-(bitmap + length) // alignment) * alignment


V1 = Form('v1', 1, 280, 8, ('<I', 264), ('<Q', 268), ('<I', 276))
V1_SWAPPED = Form('v1-swapped', 1, 280, 8, ('<I', 264), ('<Q', 268), ('<I', 276), magic='<')
V2 = Form('v2', 2, 4120, 8, ('>I', 4104), ('>Q', 4108), ('>I', 4116))
V3 = Form('v3', 3, 4128, 32, ('>I', 8), ('>Q', 12), ('>I', 20), ('>I', 24))
V3_BROKEN = Form('v3-broken', 3, 4136, 36, ('>I', 8), ('>Q', 16), ('>I', 24), ('>I', 28))


def change_cow(path, form, size, change):
    """Put sectors into a COW file: number -> bytes."""
    bitmap, _, data = form.layout(size)
    with open(path, 'r+b') as f:
        for n, sector in change.items():
            f.seek(bitmap + n // 8)
            old = (f.read(1) or b'\0')[0]
            f.seek(bitmap + n // 8)
            f.write(bytes([old | 1 << n % 8]))
            f.seek(data + n * 512)
            f.write(sector)


def write_cow(path, backing, form, change):
    """A COW file over an image."""
    st = os.stat(backing)
    with open(path, 'wb') as f:
        f.write(form.header(backing, int(st.st_mtime), st.st_size))
        f.truncate(form.layout(st.st_size)[2] + st.st_size)
    change_cow(path, form, st.st_size, change)
    return Path(path)


@contextmanager
def locked(path, write):
    """Hold the lock that a machine would: one of the open file (F_OFD_SETLK)."""
    with open(path, 'r+b' if write else 'rb') as f:
        kind = fcntl.F_WRLCK if write else fcntl.F_RDLCK
        fcntl.fcntl(f, 37, struct.pack('hhqqi', kind, os.SEEK_SET, 0, 0, 0))
        yield


DYING = r'''
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* Ends the program with code 99 before call number DIE_AT. */
static void count(void)
{
	static int calls;

	if (++calls == atoi(getenv("DIE_AT")))
		_exit(99);
}

#define WRAP(type, name, params, args)					\
	type name params						\
	{								\
		type (*real) params = dlsym(RTLD_NEXT, #name);		\
		count();						\
		return real args;					\
	}

WRAP(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o))
WRAP(int, fallocate, (int fd, int m, off_t o, off_t n), (fd, m, o, n))
WRAP(int, ftruncate, (int fd, off_t n), (fd, n))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, futimens, (int fd, const struct timespec *t), (fd, t))
WRAP(int, linkat, (int a, const char *b, int c, const char *d, int f), (a, b, c, d, f))
WRAP(int, rename, (const char *a, const char *b), (a, b))
WRAP(int, unlink, (const char *a), (a))
'''


def build_dying(folder):
    """A library to preload that ends a program before one of its changes."""
    (folder / 'dying.c').write_text(DYING)
    subprocess.run(['gcc', '-shared', '-fPIC', '-D_GNU_SOURCE', '-o', folder / 'dying.so',
                    folder / 'dying.c', '-ldl'], check=True)
    return folder / 'dying.so'
