// SPDX-License-Identifier: GPL-2.0
/*
 * Emptying the address space of a freshly executed stub: everything goes but
 * the stub itself and the host's vDSO.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "common.h"

static struct map_line maps[MAPS_MAX];

static int is_kept(const unsigned long *keep, const struct map_line *m)
{
	for (; *keep; keep++)
		if (*keep >= m->start && *keep < m->end)
			return 1;
	return m->start >= UM_STUB_END;
}

/* No /proc: no vDSO either, then. Everything between what is kept goes. */
static int clear_blindly(const unsigned long *keep, space_call_fn call)
{
	unsigned long from = 0;
	long err = 0;

	for (; *keep && err >= 0; keep++) {
		if (*keep > from)
			err = call(SYS_munmap, from, *keep - from, 0, 0, 0);
		from = *keep + UM_PAGE_SIZE;
	}
	if (err >= 0)
		err = call(SYS_munmap, from, UM_STUB_END - from, 0, 0, 0);
	return err < 0 ? err : 0;
}

int space_clear(int pid, const unsigned long *keep, unsigned long vdso_area,
		unsigned long *vdso, int last, space_call_fn call)
{
	unsigned long image = 0, base = 0;
	int nr = maps_read(pid, maps);
	long err;

	if (nr < 0)
		return clear_blindly(keep, call);
	for (int i = 0; i < nr; i++) {
		struct map_line *m = &maps[i];
		unsigned long len = m->end - m->start;

		if (is_kept(keep, m))
			continue;
		if (strncmp(m->name, "[vvar", 5) && strcmp(m->name, "[vdso]")) {
			err = call(SYS_munmap, m->start, len, 0, 0, 0);
			if (err < 0)
				return err;
			continue;
		}
		if (!base)
			base = m->start;
		err = call(SYS_mremap, m->start, len, len, MREMAP_MAYMOVE | MREMAP_FIXED,
			   vdso_area + (m->start - base));
		if (err >= 0) {
			m->start += vdso_area - base;
		} else if (err == -ESRCH) {
			return err;
		} else if (m->start < UM_STUB_START && !last) {
			return -EAGAIN;
		} else if (m->start < UM_STUB_START) {
			call(SYS_munmap, m->start, len, 0, 0, 0);
			continue;
		}
		if (!strcmp(m->name, "[vdso]"))
			image = m->start;
	}
	/* Guests are told the address once. */
	if (*vdso && image != *vdso)
		return -EAGAIN;
	*vdso = image;
	return 0;
}
