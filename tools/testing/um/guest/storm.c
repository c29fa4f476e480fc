// SPDX-License-Identifier: GPL-2.0
/*
 * A storm: workers fork, exec, map, unmap, protect and signal each other for a
 * while.  Every page that is written carries a pattern made from its owner,
 * its place and a round, and is checked before it is changed or given back, so
 * a stale translation or a page given to two owners shows as a wrong word.
 *
 *   storm [--seconds N] [--workers N]
 */
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include "tap.h"
#include "util.h"

enum { AREAS = 24, MAX_PAGES = 64, MAX_WORKERS = 16 };

struct area {
	char *p;
	int pages;
	int prot;
	uint64_t tag;
};

/* Shared by all workers: what they did, and the first failure. */
struct board {
	long rounds[MAX_WORKERS];
	long bad[MAX_WORKERS];
	long forks, execs, signals, maps;
	pid_t pid[MAX_WORKERS];
};

static struct board *board;
static int seconds = 5, workers = 4, me;
static uint64_t seed;
static long *errors;		/* the counter of this worker, or of its child */

static uint32_t rnd(uint32_t n)
{
	return (lcg(&seed) >> 33) % n;
}

static void complain(const char *what, struct area *a, int page, uint64_t got)
{
	if (!(*errors)++)
		diag("worker %d: %s: page %d of %d at %p holds %#lx, tag %#lx", me, what, page,
		     a->pages, a->p, got, a->tag);
}

static uint64_t word(struct area *a, int page)
{
	return a->tag ^ (uint64_t)page << 40;
}

static void paint(struct area *a)
{
	int i;

	a->tag = (uint64_t)getpid() << 20 ^ seed >> 30;
	for (i = 0; i < a->pages; i++) {
		*(uint64_t *)(a->p + i * PAGE) = word(a, i);
		*(uint64_t *)(a->p + i * PAGE + PAGE - 8) = ~word(a, i);
	}
}

static void check(struct area *a, const char *what)
{
	int i;

	if (!(a->prot & PROT_READ))
		return;
	for (i = 0; i < a->pages; i++) {
		uint64_t first = *(uint64_t *)(a->p + i * PAGE);
		uint64_t last = *(uint64_t *)(a->p + i * PAGE + PAGE - 8);

		if (first != word(a, i))
			complain(what, a, i, first);
		else if (last != ~word(a, i))
			complain(what, a, i, last);
	}
}

static void map_area(struct area *a)
{
	a->pages = 1 + rnd(MAX_PAGES);
	a->prot = RW;
	a->p = mmap(NULL, a->pages * PAGE, RW,
		    (rnd(4) ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS, -1, 0);
	if (a->p == MAP_FAILED) {
		a->p = NULL;
		return;
	}
	for (int i = 0; i < a->pages; i += 7)
		if (a->p[i * PAGE])
			complain("new memory is not zero", a, i, a->p[i * PAGE]);
	paint(a);
	board->maps++;
}

static void on_usr1(int sig)
{
	/* Touch the stack and the vector registers, then go. */
	volatile char buf[2000];

	memset((void *)buf, sig, sizeof(buf));
	__atomic_add_fetch(&board->signals, 1, __ATOMIC_RELAXED);
}

static void fork_one(struct area *area)
{
	pid_t pid = fork();
	long bad = 0;
	int i, st;

	if (!pid) {
		errors = &bad;
		for (i = 0; i < AREAS; i++)
			if (area[i].p) {
				check(&area[i], "after fork");
				/* Shared areas belong to the parent. */
				if (!rnd(3))
					munmap(area[i].p, area[i].pages * PAGE);
			}
		if (rnd(2))
			execl("/proc/self/exe", "storm", "--leaf", NULL);
		_exit(bad ? 1 : 42);
	}
	if (pid < 0)
		return;
	if (waitpid(pid, &st, 0) != pid || !exited_with(st, 42)) {
		if (!(*errors)++)
			diag("worker %d: a child ended with %#x", me, st);
	}
	board->forks++;
}

static void *helper(void *arg)
{
	struct area a = { 0 };

	(void)arg;
	a.p = map_pages(8, RW);
	a.pages = 8;
	a.prot = RW;
	paint(&a);
	sched_yield();
	check(&a, "in a thread");
	munmap(a.p, 8 * PAGE);
	return NULL;
}

static void worker(void)
{
	int64_t end = now_ns() + seconds * 1000000000LL;
	struct area area[AREAS] = { 0 };
	struct area *a;
	pthread_t t;
	char *q;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGUSR1, on_usr1);
	errors = &board->bad[me];
	seed = getpid() * 7919UL + me;
	while (now_ns() < end) {
		a = &area[rnd(AREAS)];
		if (!a->p) {
			map_area(a);
			continue;
		}
		check(a, "at rest");
		switch (rnd(12)) {
		case 0:
		case 1:
			munmap(a->p, a->pages * PAGE);
			a->p = NULL;
			break;
		case 2:
			a->prot = PROT_READ;
			mprotect(a->p, a->pages * PAGE, PROT_READ);
			break;
		case 3:
			mprotect(a->p, a->pages * PAGE, PROT_NONE);
			a->prot = PROT_NONE;
			break;
		case 4:
		case 5:
			a->prot = RW;
			mprotect(a->p, a->pages * PAGE, RW);
			check(a, "after mprotect");
			paint(a);
			break;
		case 6:
			q = mremap(a->p, a->pages * PAGE, a->pages * PAGE * 2, MREMAP_MAYMOVE);
			if (q != MAP_FAILED) {
				munmap(q + a->pages * PAGE, a->pages * PAGE);
				a->p = q;
				check(a, "after mremap");
			}
			break;
		case 7:
			fork_one(area);
			break;
		case 8:
			kill(board->pid[rnd(workers)], SIGUSR1);
			break;
		case 9:
			if (!pthread_create(&t, NULL, helper, NULL))
				pthread_join(t, NULL);
			break;
		case 10:
			sched_yield();
			break;
		default:
			if (a->prot == RW)
				paint(a);
			break;
		}
		board->rounds[me]++;
	}
	for (a = area; a < area + AREAS; a++)
		if (a->p)
			check(a, "at the end");
	_exit(board->bad[me] ? 1 : 0);
}

int main(int argc, char **argv)
{
	long rounds = 0, bad = 0;
	int i, st, left;

	if (argc == 2 && !strcmp(argv[1], "--leaf"))
		return 42;
	for (i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--seconds"))
			seconds = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--workers"))
			workers = atoi(argv[i + 1]);
	}
	if (workers < 1 || workers > MAX_WORKERS || seconds < 1) {
		fprintf(stderr, "storm: --workers 1..%d, --seconds 1 or more\n", MAX_WORKERS);
		return 2;
	}
	board = mmap(NULL, sizeof(*board), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* Workers may signal each other before each has set its handler. */
	signal(SIGUSR1, on_usr1);
	for (i = 0; i < workers; i++) {
		me = i;
		pid_t pid = fork();

		if (!pid) {
			while (!__atomic_load_n(&board->pid[workers - 1], __ATOMIC_SEQ_CST))
				sched_yield();
			worker();
		}
		if (pid < 0)
			die("fork");
		__atomic_store_n(&board->pid[i], pid, __ATOMIC_SEQ_CST);
	}
	for (left = workers; left; left--) {
		pid_t pid = wait(&st);

		if (pid < 0 && errno == EINTR)
			left++;
		else if (st)
			bad++, diag("worker %d ended with %#x", pid, st);
	}
	for (i = 0; i < workers; i++)
		rounds += board->rounds[i];
	diag("%ld rounds, %ld maps, %ld forks, %ld signals", rounds, board->maps, board->forks,
	     board->signals);
	is(bad, 0, "%d workers for %d s found every page as they left it", workers, seconds);
	ok(rounds > 10 * workers, "and they did something (%ld rounds)", rounds);
	return tap_done();
}
