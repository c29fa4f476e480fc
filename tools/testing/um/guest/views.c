// SPDX-License-Identifier: GPL-2.0
/*
 * Memory as others see it, and what is kept about it: process_vm_readv and its
 * like, /proc/PID/mem, userfaultfd, soft-dirty bits, madvise, mlock, large
 * copies at any alignment, futexes and robust lists in shared memory.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "tap.h"
#include "util.h"

#define PAGES 256

static char *work;		/* pages of the tests below, fresh for each */

static char *fresh(unsigned int pages)
{
	return mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Another process's memory. */
static void other_process(void)
{
	char *mine = fresh(PAGES), path[64];
	int go[2], done[2], st, fd;
	struct iovec local[2], remote[2];
	pid_t pid;
	char c;

	work = fresh(PAGES);
	memset(work, 'p', PAGES * PAGE);
	if (pipe(go) || pipe(done))
		die("pipe");
	pid = fork();
	if (!pid) {
		/* Only the child's copy of the middle is different. */
		memset(work + 100 * PAGE, 'c', 10 * PAGE);
		if (write(done[1], "", 1) != 1 || read(go[0], &c, 1) != 1)
			_exit(1);
		_exit(work[200 * PAGE + 17] == 'w' && work[0] == 'p' ? 0 : 2);
	}
	if (read(done[0], &c, 1) != 1)
		die("child");
	local[0] = (struct iovec){ mine + 5, 3 * PAGE };
	local[1] = (struct iovec){ mine + 50 * PAGE, 9 * PAGE };
	remote[0] = (struct iovec){ work + 99 * PAGE + 7, 12 * PAGE };
	is(process_vm_readv(pid, local, 2, remote, 1, 0), 12 * PAGE, "process_vm_readv");
	ok(mine[5] == 'p' && mine[5 + PAGE] == 'c' && mine[50 * PAGE] == 'c' &&
	   mine[59 * PAGE - 1] == 'p', "reads the other's copy, not ours");
	local[0] = (struct iovec){ "www", 3 };
	remote[0] = (struct iovec){ work + 200 * PAGE + 16, 3 };
	is(process_vm_writev(pid, local, 1, remote, 1, 0), 3, "process_vm_writev");
	is(work[200 * PAGE + 17], 'p', "writes the other's copy, not ours");
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR);
	ok(fd >= 0 && pread(fd, mine, 5 * PAGE, (off_t)(work + 98 * PAGE)) == 5 * PAGE &&
	   mine[0] == 'p' && mine[4 * PAGE] == 'c', "/proc/PID/mem");
	close(fd);
	remote[0] = (struct iovec){ (void *)-PAGE, 3 };
	is(process_vm_readv(pid, local, 1, remote, 1, 0) < 0 ? errno : 0, EFAULT,
	   "what is not there is EFAULT");
	if (write(go[1], "", 1) != 1)
		die("pipe");
	waitpid(pid, &st, 0);
	is(st, 0, "the other found what was written");
	munmap(work, PAGES * PAGE);
	munmap(mine, PAGES * PAGE);
}

/* read() and write() of all lengths and alignments around page boundaries. */
static void copies(void)
{
	static const int around[] = { -9, -8, -1, 0, 1, 7, 8, 63 };
	char *from = fresh(40), *to = fresh(40);
	int fd = memfd_create("copies", 0), i, j, k;
	unsigned long n, bad = 0, at, len;

	for (n = 0; n < 40 * PAGE; n++)
		from[n] = n * 31 + (n >> 12);
	for (i = 0; i < 8; i++)
		for (j = 0; j < 8; j++)
			for (k = 0; k < 4; k++) {
				at = PAGE + around[i];
				len = (k * k * k + 1) * PAGE + around[j];
				memset(to, 0, 40 * PAGE);
				bad += pwrite(fd, from + at, len, around[j] + 9) != (ssize_t)len;
				bad += pread(fd, to + at + 1, len, around[j] + 9) != (ssize_t)len;
				bad += memcmp(to + at + 1, from + at, len) != 0;
				bad += to[at] != 0 || to[at + 1 + len] != 0;
			}
	is(bad, 0, "copies of all lengths and alignments");
	mprotect(to + 8 * PAGE, PAGE, PROT_READ);
	is(pread(fd, to + 4 * PAGE + 100, 10 * PAGE, 0), 4 * PAGE - 100,
	   "a copy into memory that is half writable ends there");
	is(pread(fd, to + 8 * PAGE, PAGE, 0) < 0 ? errno : 0, EFAULT, "or is EFAULT at once");
	munmap(from + 8 * PAGE, PAGE);
	is(pwrite(fd, from + 4 * PAGE + 100, 10 * PAGE, 0), 4 * PAGE - 100,
	   "so does one out of memory with a hole");
	mprotect(to + 8 * PAGE, PAGE, RW);
	if (ftruncate(fd, 0) || ftruncate(fd, 40 * PAGE))
		die("truncate");
	memset(to, 'x', 40 * PAGE);
	is(pread(fd, to + 3, 30 * PAGE, 0), 30 * PAGE, "a hole of a file");
	for (n = 0, bad = 0; n < 30 * PAGE; n++)
		bad += to[n + 3] != 0;
	ok(!bad && to[2] == 'x' && to[3 + 30 * PAGE] == 'x', "reads as zeroes");
	munmap(from, 40 * PAGE);
	munmap(to, 40 * PAGE);
	close(fd);
}

/* A file that is mapped, read and written at the same time. */
static void coherence(void)
{
	int fd = temp_file(16 * PAGE), st, i, bad = 0;
	unsigned int *s;
	char buf[64];
	pid_t pid;

	s = mmap(NULL, 16 * PAGE, RW, MAP_SHARED, fd, 0);
	pid = fork();
	if (!pid) {
		/* The counterpart answers through the file. */
		for (unsigned int n = 1; n <= 200; n++) {
			while (__atomic_load_n(&s[1024], __ATOMIC_ACQUIRE) != n)
				sched_yield();
			if (pwrite(fd, &n, sizeof(n), 8 * PAGE) != sizeof(n))
				_exit(1);
		}
		_exit(0);
	}
	for (unsigned int n = 1; n <= 200; n++) {
		__atomic_store_n(&s[1024], n, __ATOMIC_RELEASE);
		while (__atomic_load_n(&s[8192], __ATOMIC_ACQUIRE) != n)
			sched_yield();
		if (pread(fd, buf, 4, PAGE) != 4 || memcmp(buf, &n, 4))
			bad++;
	}
	waitpid(pid, &st, 0);
	is(bad + st, 0, "a mapping and read() and write() agree");
	for (i = 0; i < 16; i++)
		s[i * 1024] = 0xabcd0000 + i;
	bad = 0;
	is(msync(s, 16 * PAGE, MS_SYNC), 0, "written back");
	for (i = 0; i < 16; i++)
		s[i * 1024 + 1] = i + 1;
	fsync(fd);
	for (i = 0; i < 16; i++)
		bad += pread(fd, buf, 8, i * PAGE) != 8 || ((unsigned int *)buf)[1] != i + 1U;
	is(bad, 0, "writes after that are seen, too");
	munmap(s, 16 * PAGE);
	close(fd);
}

/* userfaultfd. */

static int uffd;
static char *uffd_area, *uffd_page;
static volatile int uffd_faults, uffd_wp;

static void *uffd_thread(void *arg)
{
	struct pollfd p = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	(void)arg;
	while (poll(&p, 1, -1) > 0 && read(uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		unsigned long at = msg.arg.pagefault.address & ~(PAGE - 1);

		if (msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) {
			struct uffdio_writeprotect wp = { .range = { at, PAGE } };

			uffd_wp++;
			ioctl(uffd, UFFDIO_WRITEPROTECT, &wp);
			continue;
		}
		uffd_faults++;
		if (at == (unsigned long)uffd_area + 5 * PAGE) {
			struct uffdio_zeropage zero = { .range = { at, PAGE } };

			ioctl(uffd, UFFDIO_ZEROPAGE, &zero);
		} else {
			struct uffdio_copy copy = { at, (unsigned long)uffd_page, PAGE, 0, 0 };

			memset(uffd_page, 'A' + (at - (unsigned long)uffd_area) / PAGE, PAGE);
			ioctl(uffd, UFFDIO_COPY, &copy);
		}
		if (at == (unsigned long)uffd_area + 15 * PAGE)
			break;
	}
	return NULL;
}

static void userfault(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_writeprotect wp = { .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	int nul = open("/dev/null", O_WRONLY), zero = open("/dev/zero", O_RDONLY);
	pthread_t thread;
	int pipes[2];

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (uffd >= 0)
		close(uffd);
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0) {
		skip("userfaultfd", "not allowed here");
		return;
	}
	uffd_area = fresh(16);
	uffd_page = fresh(1);
	reg.range.start = (unsigned long)uffd_area;
	reg.range.len = 16 * PAGE;
	if (ioctl(uffd, UFFDIO_API, &api)) {
		/* No write protection in this kernel. */
		close(uffd);
		uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
		api = (struct uffdio_api){ .api = UFFD_API };
		is(ioctl(uffd, UFFDIO_API, &api), 0, "UFFDIO_API");
	} else {
		reg.mode |= UFFDIO_REGISTER_MODE_WP;
		ok(1, "UFFDIO_API");
	}
	is(ioctl(uffd, UFFDIO_REGISTER, &reg), 0, "UFFDIO_REGISTER");
	pthread_create(&thread, NULL, uffd_thread, NULL);
	is(uffd_area[2 * PAGE + 9], 'C', "a missing page is served for a read");
	uffd_area[3 * PAGE] = '!';
	ok(uffd_area[3 * PAGE] == '!' && uffd_area[3 * PAGE + 1] == 'D', "for a write");
	is(uffd_area[5 * PAGE], 0, "by a zero page");
	/* The kernel reaches for it: into a pipe, so that the data is copied. */
	if (pipe(pipes))
		die("pipe");
	ok(write(pipes[1], uffd_area + 7 * PAGE, 3) == 3 && read(pipes[0], uffd_page + 8, 3) == 3 &&
	   !memcmp(uffd_page + 8, "HHH", 3), "for the kernel's own reading");
	is(read(zero, uffd_area + 9 * PAGE, 10), 10, "for its writing");
	ok(!uffd_area[9 * PAGE] && uffd_area[9 * PAGE + 10] == 'J', "with what was served");
	is(uffd_faults, 5, "each fault was told once");
	madvise(uffd_area + 2 * PAGE, PAGE, MADV_DONTNEED);
	is(uffd_area[2 * PAGE + 9], 'C', "MADV_DONTNEED makes it missing again");
	is(uffd_faults, 6, "and told again");
	if (reg.mode & UFFDIO_REGISTER_MODE_WP) {
		wp.range.start = (unsigned long)uffd_area + 2 * PAGE;
		wp.range.len = PAGE;
		is(ioctl(uffd, UFFDIO_WRITEPROTECT, &wp), 0, "write protection");
		ok(uffd_area[2 * PAGE] == 'C' && !uffd_wp, "lets reads through");
		uffd_area[2 * PAGE] = '?';
		ok(uffd_wp == 1 && uffd_area[2 * PAGE] == '?', "tells of a write");
		uffd_area[2 * PAGE] = '.';
		is(uffd_wp, 1, "once");
		ioctl(uffd, UFFDIO_WRITEPROTECT, &wp);
		is(read(zero, uffd_area + 2 * PAGE, 1), 1, "the kernel's write");
		is(uffd_wp, 2, "is told, too");
	} else {
		skip("write protection", "this kernel has none");
	}
	is(uffd_area[15 * PAGE], 'P', "the last");
	pthread_join(thread, NULL);
	close(uffd);
	close(nul);
	close(zero);
}

static unsigned long pagemap(void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	unsigned long entry = 0;

	if (fd < 0 || pread(fd, &entry, 8, (unsigned long)p / PAGE * 8) != 8)
		entry = 0;
	close(fd);
	return entry;
}

#define SOFT_DIRTY (1UL << 55)
#define SWAPPED (1UL << 62)
#define PRESENT (1UL << 63)

static void soft_dirty(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY), i, bad = 0;
	int zero = open("/dev/zero", O_RDONLY);

	work = fresh(PAGES);
	memset(work, 1, PAGES * PAGE);
	if (fd < 0 || !(pagemap(work) & SOFT_DIRTY)) {
		skip("soft-dirty", "this kernel has none");
		return;
	}
	is(write(fd, "4", 1), 1, "soft-dirty bits are cleared");
	for (i = 0; i < PAGES; i++)
		bad += (pagemap(work + i * PAGE) & SOFT_DIRTY) != 0;
	is(bad, 0, "for all pages");
	for (i = 0; i < PAGES; i += 3)
		work[i * PAGE] = 2;
	if (read(zero, work + PAGE, 1) != 1)
		die("zero");
	for (i = 0, bad = 0; i < PAGES; i++)
		bad += !(pagemap(work + i * PAGE) & SOFT_DIRTY) != !(i % 3 == 0 || i == 1);
	is(bad, 0, "those that are written to are dirty, and no others");
	if (write(fd, "4", 1) != 1)
		die("clear_refs");
	work[0] = 3;
	ok((pagemap(work) & SOFT_DIRTY) && !(pagemap(work + 3 * PAGE) & SOFT_DIRTY),
	   "a second time");
	munmap(work, PAGES * PAGE);
	close(zero);
	close(fd);
}

static int wiped(void *arg)
{
	char *p = arg;

	return p[0] != 0 || p[PAGE] != 'b';
}

static int gone(void *arg)
{
	unsigned char vec;

	return !(mincore(arg, PAGE, &vec) < 0 && errno == ENOMEM);
}

static void advice(void)
{
	int fd = memfd_create("advice", 0), bad = 0, i;
	unsigned char vec[16];
	char *s;

	work = fresh(16);
	memset(work, 'a', 16 * PAGE);
	is(madvise(work, 16 * PAGE, MADV_COLD), 0, "MADV_COLD");
	is(work[5 * PAGE], 'a', "keeps the content");
	is(madvise(work, 16 * PAGE, MADV_PAGEOUT), 0, "MADV_PAGEOUT");
	for (i = 0; i < 16; i++)
		bad += work[i * PAGE] != 'a';
	is(bad, 0, "keeps it, too");
	is(madvise(work, 8 * PAGE, MADV_FREE), 0, "MADV_FREE");
	work[0] = 'b';
	ok(work[0] == 'b' && (work[PAGE] == 'a' || !work[PAGE]) && work[9 * PAGE] == 'a',
	   "leaves content or zeroes");
	is(madvise(work, PAGE, MADV_WIPEONFORK), 0, "MADV_WIPEONFORK");
	work[PAGE] = 'b';
	is(in_child(wiped, work), 0, "the child finds zeroes");
	is(work[0], 'b', "the parent does not");
	madvise(work + 2 * PAGE, PAGE, MADV_DONTFORK);
	is(in_child(gone, work + 2 * PAGE), 0, "MADV_DONTFORK: not in the child");
	munmap(work, 16 * PAGE);

	work = fresh(16);
	is(madvise(work, 8 * PAGE, MADV_POPULATE_WRITE), 0, "MADV_POPULATE_WRITE");
	madvise(work + 8 * PAGE, 4 * PAGE, MADV_POPULATE_READ);
	mincore(work, 16 * PAGE, vec);
	for (i = 0, bad = 0; i < 8; i++)
		bad += !(vec[i] & 1);
	is(bad, 0, "is there");
	is(madvise(work, 15 * PAGE + 1, MADV_POPULATE_WRITE), 0, "a length is rounded up");
	munmap(work + 4 * PAGE, PAGE);
	is(madvise(work, 8 * PAGE, MADV_DONTNEED) < 0 ? errno : 0, ENOMEM, "a hole is ENOMEM");
	munmap(work, 16 * PAGE);

	if (ftruncate(fd, 16 * PAGE))
		die("memfd");
	s = mmap(NULL, 16 * PAGE, RW, MAP_SHARED, fd, 0);
	memset(s, 's', 16 * PAGE);
	is(madvise(s + 4 * PAGE, 4 * PAGE, MADV_REMOVE), 0, "MADV_REMOVE");
	ok(s[3 * PAGE] == 's' && !s[4 * PAGE] && !s[8 * PAGE - 1] && s[8 * PAGE] == 's',
	   "makes a hole in the file");
	is(madvise(s, 16 * PAGE, MADV_DONTNEED), 0, "MADV_DONTNEED of a shared mapping");
	is(s[0], 's', "keeps the file");
	munmap(s, 16 * PAGE);
	close(fd);
}

static void locks(void)
{
	unsigned char vec[8];
	char *p;

	work = fresh(8);
	is(mlock2(work, 8 * PAGE, MLOCK_ONFAULT), 0, "mlock2 on fault");
	mincore(work, 8 * PAGE, vec);
	ok(!(vec[3] & 1), "brings nothing in");
	work[3 * PAGE] = 1;
	is(madvise(work, 8 * PAGE, MADV_DONTNEED) < 0 ? errno : 0, EINVAL, "what is locked stays");
	is(munlock(work, 8 * PAGE), 0, "munlock");
	is(mlockall(MCL_CURRENT | MCL_FUTURE), 0, "mlockall");
	p = fresh(4);
	mincore(p, 4 * PAGE, vec);
	ok(vec[0] & vec[3] & 1, "new memory is there at once");
	munlockall();
	munmap(p, 4 * PAGE);
	munmap(work, 8 * PAGE);
}

static void moves(void)
{
	char *q;

	work = fresh(8);
	memset(work, 'm', 8 * PAGE);
	q = mremap(work, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	ok(q != MAP_FAILED && q != work, "MREMAP_DONTUNMAP");
	ok(q[7 * PAGE] == 'm' && !work[7 * PAGE], "the old place is empty");
	work[0] = 'n';
	is(q[0], 'm', "and apart");
	munmap(q, 8 * PAGE);
	munmap(work, 8 * PAGE);
}

/* A shared futex and a robust list, by hand. */
struct shared {
	struct robust_list_head head;
	struct robust_list node;
	unsigned int lock;
	unsigned int turn;
};

static int futex(unsigned int *word, int op, unsigned int value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void futexes(void)
{
	struct shared *s = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int i, value;
	int st, bad = 0;
	pid_t pid = fork();

	if (!pid) {
		for (i = 0; i < 500; i++) {
			while (__atomic_load_n(&s->turn, __ATOMIC_ACQUIRE) != 2 * i + 1)
				futex(&s->turn, FUTEX_WAIT, 2 * i);
			__atomic_store_n(&s->turn, 2 * i + 2, __ATOMIC_RELEASE);
			futex(&s->turn, FUTEX_WAKE, 1);
		}
		s->head.list.next = &s->node;
		s->head.futex_offset = offsetof(struct shared, lock) -
			offsetof(struct shared, node);
		s->node.next = &s->head.list;
		syscall(SYS_set_robust_list, &s->head, sizeof(s->head));
		s->lock = getpid() | FUTEX_WAITERS;
		/* Killed while it holds the lock. */
		raise(SIGKILL);
	}
	for (i = 0; i < 500; i++) {
		__atomic_store_n(&s->turn, 2 * i + 1, __ATOMIC_RELEASE);
		futex(&s->turn, FUTEX_WAKE, 1);
		while ((value = __atomic_load_n(&s->turn, __ATOMIC_ACQUIRE)) != 2 * i + 2)
			futex(&s->turn, FUTEX_WAIT, value);
	}
	waitpid(pid, &st, 0);
	ok(killed_by(st, SIGKILL), "500 turns with a shared futex");
	bad = (s->lock & FUTEX_OWNER_DIED) == 0;
	is(bad, 0, "a robust lock tells that its owner was killed");
	/* In memory that is copy-on-write the word is ours alone. */
	is(syscall(SYS_futex, &s->lock, FUTEX_WAKE_OP, 0, 0, &s->turn,
		   FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 1000)), 0, "FUTEX_WAKE_OP");
	is(s->turn, 1005, "does its operation");
	munmap(s, PAGE);
}

int main(void)
{
	other_process();
	copies();
	coherence();
	userfault();
	soft_dirty();
	advice();
	locks();
	moves();
	futexes();
	return tap_done();
}
