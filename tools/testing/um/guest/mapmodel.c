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
 * A stale translation, a page given to two owners, a lost copy or a wrong right each
 * show as a difference to the model (mapmodel.h).
 */
#include <fcntl.h>
#include <sys/uio.h>

#include "mapmodel.h"
#include "tap.h"
#include "util.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

enum { MAX_RUN = 96, LIVE = 3, DEPTH = 2 };

static int file = -1, scratch = -1;
static int depth, live;
static long ops = 200;
static uint64_t serial;

/* The values of this process: no other page has the same. */
static uint64_t numbered(uint64_t n)
{
	return (uint64_t)getpid() << 40 | n << 1 | 1;
}

static uint64_t fresh(void)
{
	return numbered(++serial);
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
		fill(buf, numbered(serial + i + 1));
		if (pwrite(scratch, buf, PAGE, i * PAGE) != PAGE)
			wrong("pwrite", 0, errno);
	}
	got = pread(scratch, at(first), n * PAGE, 0);
	if (got != (good ? good * (ssize_t)PAGE : -1) || (!good && errno != EFAULT))
		wrong("read from a file", first, got);
	for (i = 0; i < good; i++)
		written(first + i, numbered(serial + i + 1));
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
