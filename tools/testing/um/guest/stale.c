// SPDX-License-Identifier: GPL-2.0
/*
 * An init that maps memory, takes it away again in several manners, prints what
 * the TLB checker finds after that, and powers off. It makes no process: a kernel
 * that forgets to take mappings away does not live long enough to make one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#define PAGE 4096UL
#define PAGES 16

static char *pages(void)
{
	char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED)
		memset(p, 1, PAGES * PAGE);
	return p;
}

int main(void)
{
	int out = open("/dev/console", O_RDWR), fd;
	char text[8192], *kept;
	ssize_t n;

	/* On a host this must do no harm: only the first process may. */
	if (getpid() != 1)
		return 1;
	munmap(pages(), PAGES * PAGE);
	kept = pages();
	mprotect(kept, PAGES * PAGE, PROT_READ);
	kept = pages();
	madvise(kept, PAGES * PAGE, MADV_DONTNEED);
	kept = pages();
	mremap(kept, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
	       pages());
	if (mount("none", "/tmp", "debugfs", 0, NULL))
		dprintf(out, "no debugfs\n");
	fd = open("/tmp/um/tlb_check", O_RDONLY);
	while (fd >= 0 && (n = read(fd, text, sizeof(text))) > 0)
		dprintf(out, "%.*s", (int)n, text);
	dprintf(out, "STALE-END\n");
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
