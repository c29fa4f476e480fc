/* SPDX-License-Identifier: GPL-2.0 */
/* The shared object that every guest program finds at AT_SYSINFO_EHDR. */
#ifndef __ASM_UM_VDSO_H
#define __ASM_UM_VDSO_H

/* Pages before the image: clock data, and those of the time namespace. */
#define VVAR_DATA_PAGE		0
#define VVAR_TIMENS_PAGE	1
#define VVAR_PAGES		2

/*
 * The word after the image's program headers is replaced, when the image is
 * copied at boot, by the address of the host's clock_gettime(). It holds
 * this until then.
 */
#define VDSO_HOST_CLOCK_MAGIC	0x6b636f6c43736f48

#endif
