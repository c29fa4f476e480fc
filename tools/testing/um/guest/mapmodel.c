// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on a window of memory, against a model of it.
 *
 *   mapmodel [--ops N] [--workers N] [--seed N]
 *
 * For each page of the window the model knows what is mapped there, with which
 * rights, and the value that the whole page is filled with.  Operations: mmap,
 * munmap, mprotect, mremap (moved, and with the old place kept), madvise in all its
 * kinds, mlock, writing through another mapping of the file, reading and writing
 * files from and to the pages, and fork.  A child checks all it inherited, goes on
 * by itself at the same time as its parent, stops, and is looked into and changed
 * by process_vm_readv() and process_vm_writev().
 *
 * Pages are filled with code that returns a part of their value, so that the right
 * to execute is checked as well; and whatever a page must not allow has to end in
 * a signal of the right kind.  A stale translation, a page given to two owners, a
 * lost copy or a wrong right each show as a difference to the model.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <sys/uio.h>

#include "tap.h"
#include "util.h"

#define PAGE 4096UL
#define RW (PROT_READ | PROT_WRITE)

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

enum { WINDOW = 1536, FILE_PAGES = 512, WORDS = 512, MAX_RUN = 96, LIVE = 3, DEPTH = 2 };

/* What is mapped; OTHER is a file that another process may write to. */
enum kind { NONE, ANON, SHARED, FILED, COPIED, OTHER };

/**
 * struct page - the model of a page
 * @kind: FILED is a private mapping of the file, COPIED one that was written to
 * @prot: rights
 * @lazy: after MADV_FREE: it may have become zero
 * @other: it is a copy of a page of another process's file
 * @off: page of the file
 * @value: what it is filled with, 0 for zeroes; for SHARED and FILED it is the file's
 */
struct page {
	unsigned char kind, prot, lazy, other;
	unsigned short off;
	uint64_t value;
};

static struct page model[WINDOW];
static uint64_t content[FILE_PAGES];
static char *window;
static int file = -1, scratch = -1;
static int depth, live;
static long ops = 200, left;
static uint64_t seed = 1, serial;

/* Shared by all processes. */
static struct { long bad, ops, forks, denied, moved, looked; } *board;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

static char *at(int page)
{
	return window + page * PAGE;
}

static uint64_t value_of(struct page *p)
{
	return p->kind == SHARED || p->kind == FILED ? content[p->off] : p->value;
}

static void wrong(const char *what, int page, uint64_t got)
{
	struct page *p = &model[page];

	if (__atomic_add_fetch(&board->bad, 1, __ATOMIC_RELAXED) > 10)
		return;
	diag("pid %d, %ld to go: %s: page %d (kind %d, rights %d, lazy %d, file page %d): %#lx, not %#lx",
	     getpid(), left, what, page, p->kind, p->prot, p->lazy, p->off, got, value_of(p));
}

/* A value of which no other page has the same. */
static uint64_t fresh(void)
{
	return (uint64_t)getpid() << 40 | ++serial << 1 | 1;
}

/* mov $value, %eax; ret; then words made of the value. */
static uint64_t word(uint64_t value, int i)
{
	if (!value)
		return 0;
	if (!i)
		return 0x9090c300000000b8UL | (value & 0xffffffff) << 8;
	return value * 0x9e3779b97f4a7c15UL + i;
}

static void fill(uint64_t *to, uint64_t value)
{
	for (int i = 0; i < WORDS; i++)
		to[i] = word(value, i);
}

static int filled(const uint64_t *from, uint64_t value)
{
	for (int i = 0; i < WORDS; i++)
		if (from[i] != word(value, i))
			return 0;
	return 1;
}

/* Compares what a page holds, wherever it was read from, with what it should. */
static int compare(int page, const uint64_t *got, const char *what)
{
	struct page *p = &model[page];

	if (p->kind == OTHER || filled(got, value_of(p)))
		return 1;
	if (!p->lazy || !filled(got, 0)) {
		wrong(what, page, got[0]);
		return 0;
	}
	p->value = 0;
	return 1;
}

static sigjmp_buf back;
static volatile int code;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
	(void)sig; (void)uc;
	code = si->si_code;
	siglongjmp(back, 1);
}

/* What must not be allowed: 'r', 'w' or 'x'. */
static void denied(int page, int how)
{
	int want = model[page].kind == NONE ? SEGV_MAPERR : SEGV_ACCERR;
	volatile char *p = at(page);

	code = 0;
	if (!sigsetjmp(back, 1)) {
		if (how == 'r')
			(void)*p;
		else if (how == 'w')
			*p = 1;
		else
			((int (*)(void))p)();
	}
	if (code != want)
		wrong(how == 'r' ? "read" : how == 'w' ? "written" : "executed", page, code);
	board->denied++;
}

static void check(int page, const char *what)
{
	struct page *p = &model[page];

	if (p->kind == NONE || !(p->prot & PROT_READ)) {
		/* Each costs a signal. */
		if (!rnd(8))
			denied(page, 'r');
		return;
	}
	if (!compare(page, (uint64_t *)at(page), what))
		return;
	if (!(p->prot & PROT_WRITE) && !rnd(4))
		denied(page, 'w');
	if (p->kind == OTHER || p->lazy || !value_of(p) || rnd(4))
		return;
	if (!(p->prot & PROT_EXEC))
		denied(page, 'x');
	else if (((int (*)(void))at(page))() != (int)value_of(p))
		wrong("code", page, 0);
}

static void written(int page, uint64_t value)
{
	struct page *p = &model[page];

	if (p->kind == SHARED)
		content[p->off] = value;
	else if (p->kind == FILED)
		p->kind = COPIED;
	if (p->kind != OTHER)
		p->value = value;
	p->lazy = 0;
}

/* What MADV_DONTNEED does, and moving away with MREMAP_DONTUNMAP. */
static void emptied(struct page *p)
{
	if (p->kind == COPIED)
		p->kind = p->other ? OTHER : FILED;
	p->value = 0;
	p->lazy = 0;
}

/*
 * Something that populates was done: copies have been made of the file's pages that
 * can be written to.  Which ones is the kernel's affair, so make sure.
 */
static void settle(int first, int n)
{
	for (int i = first; i < first + n; i++) {
		struct page *p = &model[i];

		if (p->kind == FILED && p->prot & PROT_WRITE) {
			uint64_t value = content[p->off];

			fill((uint64_t *)at(i), value);
			written(i, value);
		}
	}
}

/* So many pages from @first that are alike: mremap() wants one mapping. */
static int alike(int first, int most)
{
	struct page *a = &model[first], *b;
	int n = 1;

	for (; n < most && first + n < WINDOW; n++) {
		b = &model[first + n];
		if (b->prot != a->prot || (b->kind == NONE) != (a->kind == NONE) ||
		    (b->kind == ANON) != (a->kind == ANON) ||
		    (b->kind == SHARED) != (a->kind == SHARED) || a->kind == OTHER ||
		    b->kind == OTHER || (a->kind != ANON && b->off != a->off + n))
			break;
	}
	return n;
}

static int rights(void)
{
	static const int prot[] = { PROT_NONE, PROT_READ, RW, RW, RW, PROT_READ | PROT_EXEC,
		RW | PROT_EXEC };

	return prot[rnd(sizeof(prot) / sizeof(*prot))];
}

static void map(int first, int n)
{
	static const enum kind kinds[] = { ANON, ANON, ANON, SHARED, SHARED, FILED };
	enum kind kind = kinds[rnd(6)];
	int prot = rights(), off = rnd(FILE_PAGES - n + 1), i;
	int flags = MAP_FIXED | (kind == SHARED ? MAP_SHARED : MAP_PRIVATE) |
		(kind == ANON ? MAP_ANONYMOUS : 0) | (rnd(5) ? 0 : MAP_POPULATE);

	if (mmap(at(first), n * PAGE, prot, flags, kind == ANON ? -1 : file,
		 kind == ANON ? 0 : off * PAGE) != at(first)) {
		wrong("mmap", first, errno);
		return;
	}
	for (i = first; i < first + n; i++)
		model[i] = (struct page){ .kind = kind, .prot = prot, .off = off + i - first };
	if (flags & MAP_POPULATE)
		settle(first, n);
}

static void unmap(int first, int n)
{
	if (munmap(at(first), n * PAGE))
		wrong("munmap", first, errno);
	memset(&model[first], 0, n * sizeof(*model));
}

static void protect(int first, int n)
{
	int prot = rights(), i;

	if (model[first].kind == NONE) {
		if (!mprotect(at(first), PAGE, prot) || errno != ENOMEM)
			wrong("mprotect of nothing", first, errno);
		return;
	}
	for (i = first; i < first + n && model[i].kind != NONE; i++)
		model[i].prot = prot;
	if (mprotect(at(first), (i - first) * PAGE, prot))
		wrong("mprotect", first, errno);
}

static void move(int first, int n)
{
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED, to, i, keep = !rnd(3);

	n = alike(first, n);
	if (model[first].kind == NONE || model[first].kind == OTHER)
		return;
	to = rnd(WINDOW - n);
	if (to + n > first && first + n > to)
		return;
	if (mremap(at(first), n * PAGE, n * PAGE, flags | (keep ? MREMAP_DONTUNMAP : 0),
		   at(to)) != at(to)) {
		/* Not one mapping, after all; the target may be gone. */
		if (errno != EFAULT && errno != EINVAL)
			wrong("mremap", first, errno);
		unmap(to, n);
		return;
	}
	board->moved++;
	memcpy(&model[to], &model[first], n * sizeof(*model));
	if (!keep)
		memset(&model[first], 0, n * sizeof(*model));
	for (i = first; keep && i < first + n; i++)
		emptied(&model[i]);
}

static void advise(int first, int n)
{
	static const int list[] = { MADV_DONTNEED, MADV_DONTNEED, MADV_FREE, MADV_COLD,
		MADV_PAGEOUT, MADV_PAGEOUT, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_WILLNEED,
		MADV_COLLAPSE, MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_REMOVE };
	int advice = list[rnd(sizeof(list) / sizeof(*list))], i, err;

	if (advice == MADV_FREE || advice == MADV_REMOVE)
		n = alike(first, n);
	if (advice == MADV_REMOVE && model[first].kind != SHARED)
		return;
	err = madvise(at(first), n * PAGE, advice) ? errno : 0;
	for (i = first; i < first + n; i++) {
		struct page *p = &model[i];

		if (advice == MADV_DONTNEED)
			emptied(p);
		else if (advice == MADV_FREE && p->kind == ANON && !err)
			p->lazy = 1;
		else if (advice == MADV_REMOVE && p->kind == SHARED && !err)
			content[p->off] = 0;
	}
	if (advice == MADV_POPULATE_WRITE)
		settle(first, n);
}

static void write_pages(int first, int n)
{
	for (int i = first; i < first + n; i++) {
		uint64_t value = fresh();

		if (model[i].kind == NONE || !(model[i].prot & PROT_WRITE)) {
			if (!rnd(4))
				denied(i, 'w');
			continue;
		}
		if (model[i].kind != OTHER) {
			check(i, "before it is written to");
			fill((uint64_t *)at(i), value);
			written(i, value);
		}
	}
}

/* The file is changed by its descriptor: all its mappings see it. */
static void write_file(int first, int n)
{
	static uint64_t buf[WORDS];

	for (int i = first % FILE_PAGES; n-- && i < FILE_PAGES; i++) {
		content[i] = fresh();
		fill(buf, content[i]);
		if (pwrite(file, buf, PAGE, i * PAGE) != PAGE)
			wrong("pwrite", 0, errno);
	}
}

/* The kernel copies from the pages, then to them, as far as their rights go. */
static void copy(int first, int n)
{
	static uint64_t buf[WORDS];
	int good, i;
	ssize_t got;

	for (good = 0; good < n; good++)
		if (model[first + good].kind == NONE || !(model[first + good].prot & PROT_READ))
			break;
	got = pwrite(scratch, at(first), n * PAGE, 0);
	if (got != (good ? good * (ssize_t)PAGE : -1) || (!good && errno != EFAULT))
		wrong("written to a file", first, got);
	for (i = 0; i < good; i++)
		if (pread(scratch, buf, PAGE, i * PAGE) == PAGE)
			compare(first + i, buf, "in the file it was written to");
	for (good = 0; good < n; good++)
		if (model[first + good].kind == NONE || model[first + good].kind == OTHER ||
		    !(model[first + good].prot & PROT_WRITE))
			break;
	if (model[first + good].kind == OTHER)
		n = good;
	if (!n)
		return;
	for (i = 0; i < n; i++) {
		fill(buf, (uint64_t)getpid() << 40 | (serial + i + 1) << 1 | 1);
		if (pwrite(scratch, buf, PAGE, i * PAGE) != PAGE)
			wrong("pwrite", 0, errno);
	}
	got = pread(scratch, at(first), n * PAGE, 0);
	if (got != (good ? good * (ssize_t)PAGE : -1) || (!good && errno != EFAULT))
		wrong("read from a file", first, got);
	for (i = 0; i < good; i++)
		written(first + i, (uint64_t)getpid() << 40 | (serial + i + 1) << 1 | 1);
	serial += n;
}

static void lock_pages(int first, int n)
{
	/* Without the right to, or over a hole, it is an error: whatever. */
	if (mlock(at(first), n * PAGE) && errno != ENOMEM && errno != EPERM && errno != EAGAIN)
		wrong("mlock", first, errno);
	for (int i = first; i < first + n; i++)
		check(i, "locked");
	munlockall();
	settle(first, n);
}

/* A stopped child is the same at the same places: its model tells about its pages. */
static void look_into(pid_t pid)
{
	static struct page theirs[WINDOW];
	static uint64_t file_of[FILE_PAGES], buf[WORDS];
	struct iovec in = { theirs, sizeof(theirs) }, from = { model, sizeof(model) };
	struct iovec in2 = { file_of, sizeof(file_of) }, from2 = { content, sizeof(content) };

	if (process_vm_readv(pid, &in, 1, &from, 1, 0) != sizeof(theirs) ||
	    process_vm_readv(pid, &in2, 1, &from2, 1, 0) != sizeof(file_of)) {
		wrong("process_vm_readv of the model", 0, errno);
		return;
	}
	for (int i = rnd(16); i < WINDOW; i += 16) {
		struct page *p = &theirs[i];
		struct iovec to = { buf, PAGE }, page = { at(i), PAGE };
		uint64_t value = p->kind == SHARED || p->kind == FILED ? file_of[p->off] : p->value;

		if (p->kind == OTHER)
			continue;
		if (p->kind == NONE || !(p->prot & PROT_READ)) {
			if (process_vm_readv(pid, &to, 1, &page, 1, 0) != -1 || errno != EFAULT)
				wrong("process_vm_readv of what can't be read", i, errno);
			continue;
		}
		if (process_vm_readv(pid, &to, 1, &page, 1, 0) != PAGE)
			wrong("process_vm_readv", i, errno);
		else if (!filled(buf, value) && !(p->lazy && filled(buf, 0)))
			wrong("read from another process", i, buf[0]);
		if (p->kind != ANON || !(p->prot & PROT_WRITE))
			continue;
		p->value = fresh();
		p->lazy = 0;
		fill(buf, p->value);
		if (process_vm_writev(pid, &to, 1, &page, 1, 0) != PAGE)
			wrong("process_vm_writev", i, errno);
		board->looked++;
	}
	/* Lazily freed ones may have become what they are by the look: not told. */
	if (process_vm_writev(pid, &in, 1, &from, 1, 0) != sizeof(theirs))
		wrong("process_vm_writev of the model", 0, errno);
}

static void reap(void)
{
	int st;
	pid_t pid = waitpid(-1, &st, WUNTRACED);

	if (pid > 0 && WIFSTOPPED(st)) {
		look_into(pid);
		kill(pid, SIGCONT);
		return;
	}
	live--;
	if (pid < 0 || !exited_with(st, 42))
		wrong("the end of a child", 0, st);
}

static void new_file(void)
{
	if (file >= 0)
		close(file);
	file = memfd_create("mapmodel", 0);
	if (file < 0 || ftruncate(file, FILE_PAGES * PAGE))
		die("memfd");
	memset(content, 0, sizeof(content));
	if (scratch >= 0)
		close(scratch);
	scratch = memfd_create("scratch", 0);
	if (scratch < 0)
		die("memfd");
}

static void check_all(const char *what)
{
	for (int i = 0; i < WINDOW; i++)
		check(i, what);
}

static void run(long count);

static void child(void)
{
	int i;

	depth++;
	live = 0;
	serial = 0;
	seed ^= (uint64_t)getpid() << 20;
	for (i = 0; i < WINDOW; i++)
		if (model[i].kind == SHARED || model[i].kind == FILED)
			model[i].kind = OTHER;
		else if (model[i].kind == COPIED)
			model[i].other = 1;
	check_all("after fork");
	new_file();
	run(20 + rnd(200));
	raise(SIGSTOP);
	check_all("after another process wrote to it");
	run(20);
	_exit(42);
}

static void fork_one(void)
{
	pid_t pid;

	if (depth == DEPTH)
		return;
	while (live >= LIVE)
		reap();
	pid = fork();
	if (!pid)
		child();
	if (pid < 0)
		return;
	live++;
	board->forks++;
}

static void run(long count)
{
	for (left = count; left > 0; left--) {
		int n = 1 + rnd(rnd(4) ? 12 : MAX_RUN), first = rnd(WINDOW - n);
		int what = rnd(41);

		board->ops++;
		if (what < 6)
			map(first, n);
		else if (what < 9)
			unmap(first, n);
		else if (what < 14)
			protect(first, n);
		else if (what < 18)
			move(first, n);
		else if (what < 24)
			advise(first, n);
		else if (what < 32)
			write_pages(first, n);
		else if (what < 34)
			write_file(first, n);
		else if (what < 37)
			copy(first, n);
		else if (what < 38)
			lock_pages(first, n);
		else if (what < 39)
			fork_one();
		else
			for (int i = first; i < first + n; i++)
				check(i, "at rest");
		if (board->bad > 10)
			break;
	}
	while (live)
		reap();
	check_all("at the end");
}

static void worker(void)
{
	on_signal(SIGSEGV, on_fault, 0);
	/* Room for a huge page, and a hole on both sides. */
	window = mmap(NULL, WINDOW * PAGE + (4UL << 20), PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (window == MAP_FAILED)
		die("mmap");
	munmap(window, WINDOW * PAGE + (4UL << 20));
	window = (char *)(((unsigned long)window + (3UL << 20)) & -(2UL << 20));
	new_file();
	run(ops);
	_exit(board->bad ? 1 : 42);
}

int main(int argc, char **argv)
{
	int i, st, workers = 2, ended = 0;

	for (i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--ops"))
			ops = atol(argv[i + 1]);
		else if (!strcmp(argv[i], "--workers"))
			workers = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--seed"))
			seed = strtoul(argv[i + 1], NULL, 10);
	}
	board = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < workers; i++) {
		pid_t pid = fork();

		seed = seed * 31 + i;
		if (!pid)
			worker();
		if (pid < 0)
			die("fork");
	}
	for (i = 0; i < workers; i++) {
		if (wait(&st) > 0 && exited_with(st, 42))
			ended++;
		else
			diag("a worker ended with %#x", st);
	}
	diag("%ld operations, %ld forks, %ld moves, %ld accesses denied, %ld pages of others written",
	     board->ops, board->forks, board->moved, board->denied, board->looked);
	is(ended, workers, "%d workers come to their end", workers);
	is(board->bad, 0, "what is in memory is what the model says");
	ok(board->forks && board->moved && board->denied && board->looked,
	   "and everything was tried");
	return tap_done();
}
