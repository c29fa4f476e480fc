# SPDX-License-Identifier: GPL-2.0
"""The part of make bench about what people do: scripts, unpacking, compiling.

The same programs (tools.py) run on the host and, from a disk, in the guests; what they
write goes to a tmpfs in both.  Each does a job once to warm up, then once a round.
The time is that of the whole command, as the host's clock has it.
"""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from harness import images
from harness.guest import Guest
from harness.paths import BUILD, SOURCE

from . import tools

# A project of the base kernel that is a program of its own.
PROJECT = ('tools/power/acpi', 'tools/scripts', 'drivers/acpi/acpica', 'include/acpi',
           'include/linux/circ_buf.h', 'include/uapi/linux')
ARCHIVE = ('kernel', 'mm', 'lib', 'include', 'net', 'fs')
# {work}: what is read; {out}: an empty folder on a tmpfs
JOBS = {
    'script_2000': '/bin/sh {work}/script.sh',
    'tar': 'tar xf {work}/archive.tar -C {out}',
    'gcc_5000': 'gcc -O2 -c {work}/program.c -o {out}/program.o',
    'make': 'make -s -j2 -C {work}/project/tools/power/acpi O={out} '
            'acpidbg acpidump ec > /dev/null 2>&1',
}
SCRIPT = """i=0
while [ $i -lt 500 ]; do
    /bin/true
    a=$(/bin/pwd)
    /bin/ls / > /dev/null
    echo $i | /bin/cat > /dev/null
    i=$((i + 1))
done
"""
FUNCTION = """
struct node_{n} {{ struct node_{n} *next; unsigned int key; char name[{size}]; }};

static unsigned int hash_{n}(const char *s, size_t len)
{{
	unsigned int h = {n}u * 2654435761u;

	while (len--)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h ^ h >> {shift};
}}

int work_{n}(struct node_{n} **table, const char *name, double *sums, int count)
{{
	unsigned int h = hash_{n}(name, strlen(name));
	struct node_{n} *p;
	int i, j, best = -1;

	for (p = table[h % {size}]; p; p = p->next)
		if (p->key == h && !strcmp(p->name, name))
			return 1;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -1;
	p->key = h;
	snprintf(p->name, sizeof(p->name), "%s-%u", name, h);
	p->next = table[h % {size}];
	table[h % {size}] = p;
	for (i = 0; i < count; i++) {{
		for (j = i; j < count; j += {step})
			sums[i] += sums[j] * {n} / (j + 1);
		if (best < 0 || sums[i] > sums[best])
			best = i;
	}}
	switch (best % {step}) {{
	case 0: return hash_{n}(p->name, {size} / 2);
	case 1: sums[0] = -sums[0]; break;
	case 2: memmove(sums, sums + 1, (count - 1) * sizeof(*sums)); break;
	default: qsort(sums, count, sizeof(*sums), compare); break;
	}}
	return best;
}}
"""
HEAD = """#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}
"""


def _program():
    """A C file of 5000 lines, no two functions alike."""
    text, n = HEAD, 0
    while text.count('\n') < 5000:
        n += 1
        text += FUNCTION.format(n=n, size=16 + n % 50 * 4, shift=7 + n % 17, step=2 + n % 5)
    return text


def _inputs(folder):
    """What the jobs read."""
    folder.mkdir(exist_ok=True)
    (folder / 'script.sh').write_text(SCRIPT, encoding='ascii')
    (folder / 'program.c').write_text(_program(), encoding='ascii')
    (folder / 'project').mkdir()
    subprocess.run(['cp', '-rL', '--parents', *PROJECT, folder / 'project'], cwd=SOURCE,
                   check=True)
    subprocess.run(['tar', 'chf', folder / 'archive.tar', '--sort=name', *ARCHIVE], cwd=SOURCE,
                   check=True)


class Host:
    """The host, on a tmpfs."""

    name = 'host'

    def __init__(self, work):
        self.work = work
        self.out = Path(tempfile.mkdtemp(prefix='umb-', dir='/dev/shm'))

    def run(self, command):
        """Seconds that it took."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        start = time.monotonic()
        subprocess.run(['/bin/sh', '-c', command.format(work=self.work, out=self.out)], check=True)
        return time.monotonic() - start

    def close(self):
        """Leave nothing."""
        shutil.rmtree(self.out, ignore_errors=True)


class Uml:
    """A guest that stays up between rounds."""

    def __init__(self, name, kernel, root, disk, args):
        self.name = name
        self.guest = Guest(f'ubd0={root}', f'ubd1={disk}', 'mem=2G', *args, kernel=kernel,
                           raw=True, timeout=900, name=f'bench-work-{name}').boot()
        self.guest.out('mount -o ro /dev/ubdb /mnt && mount -t tmpfs tmp /mnt/tmp && '
                       'mount -t tmpfs dev /mnt/dev && mknod -m 666 /mnt/dev/null c 1 3 && '
                       'mount -t proc proc /mnt/proc')

    def run(self, command):
        """Seconds that it took."""
        self.guest.out('rm -rf /mnt/tmp/out; mkdir /mnt/tmp/out')
        command = command.format(work='/work', out='/tmp/out')
        start = time.monotonic()
        self.guest.out(f"chroot /mnt /bin/sh -c '{command}'")
        return time.monotonic() - start

    def close(self):
        """Power off."""
        self.guest.poweroff()
        self.guest.close(check=False)


def _disk(folder):
    tree = tools.make(folder / 'tree')
    _inputs(tree / 'work')
    disk = images.blank(folder / 'work.img', '768M')
    subprocess.run(['/sbin/mke2fs', '-q', '-t', 'ext4', '-F', '-d', tree, disk], check=True)
    return tree / 'work', disk


def measure(options, kernels, results_of):
    """Yields (title, names of the subjects, results)."""
    jobs = {k: v for k, v in JOBS.items() if not options.only or k in options.only}
    if not jobs:
        return
    results = results_of()
    with tempfile.TemporaryDirectory(prefix='umb-', dir=BUILD) as name:
        folder = Path(name)
        work, disk = _disk(folder)
        subjects = [Host(work)]
        try:
            for name, kernel, args in kernels:
                root = images.copy(images.busybox(), folder / f'{name}.img')
                # Only read, but who opens it may lock it.
                own = images.copy(disk, folder / f'{name}-work.img')
                subjects.append(Uml(name, kernel, root, own, args))
            for command in jobs.values():
                for subject in subjects:
                    subject.run(command)
            for _ in range(options.rounds):
                for job, command in jobs.items():
                    for subject in subjects:
                        results.add(subject.name, job, subject.run(command) * 1e9)
        finally:
            for subject in subjects:
                subject.close()
    yield f'work, {len(os.sched_getaffinity(0))} CPUs', [s.name for s in subjects], results
