// SPDX-License-Identifier: GPL-2.0
/*
 * Threads: locks and condition variables under contention, creation in bulk,
 * signals to one thread, robust and priority futexes, cancellation, and exec
 * and exit in the middle of many threads.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "tap.h"
#include "util.h"

enum { N = 8, ROUNDS = 2000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static long counter, pair[2];
static int turn;

static void run_all(void *(*fn)(void *), int n, long *sum)
{
	pthread_t t[64];
	void *r;
	long i;

	*sum = 0;
	for (i = 0; i < n; i++)
		if (pthread_create(&t[i], NULL, fn, (void *)i))
			die("pthread_create");
	for (i = 0; i < n; i++) {
		pthread_join(t[i], &r);
		*sum += (long)r;
	}
}

static void *add(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		if (i % 64 == 0)
			sched_yield();		/* hold the lock over a switch */
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *ring(void *arg)
{
	long me = (long)arg;
	int i;

	for (i = 0; i < 200; i++) {
		pthread_mutex_lock(&lock);
		while (turn != me)
			pthread_cond_wait(&cond, &lock);
		turn = (turn + 1) % N;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *meet(void *arg)
{
	long serial = 0;
	int i;

	(void)arg;
	for (i = 0; i < 100; i++)
		serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
	return (void *)serial;
}

static void *read_write(void *arg)
{
	long bad = 0, i;

	for (i = 0; i < 500; i++)
		if ((i + (long)arg) % 10 == 0) {
			pthread_rwlock_wrlock(&rwlock);
			pair[0]++;
			sched_yield();
			pair[1]++;
			pthread_rwlock_unlock(&rwlock);
		} else {
			pthread_rwlock_rdlock(&rwlock);
			bad += pair[0] != pair[1];
			pthread_rwlock_unlock(&rwlock);
		}
	return (void *)bad;
}

static void *quick(void *arg)
{
	return arg;
}

static void locks(void)
{
	long sum;

	run_all(add, N, &sum);
	is(counter, N * ROUNDS, "a mutex keeps a counter right");
	run_all(ring, N, &sum);
	ok(turn == 0, "eight threads in a ring of conditions");
	pthread_barrier_init(&barrier, NULL, N);
	run_all(meet, N, &sum);
	is(sum, 100, "a barrier lets one thread be serial each round");
	run_all(read_write, N, &sum);
	is(sum, 0, "readers never see half a write");
}

static void create(void)
{
	long i, bad = 0;
	pthread_t t;
	void *r;
	long sum;

	for (i = 0; i < 500; i++) {
		if (pthread_create(&t, NULL, quick, (void *)i))
			die("pthread_create");
		pthread_join(t, &r);
		bad += (long)r != i;
	}
	is(bad, 0, "500 threads one after the other");
	run_all(quick, 64, &sum);
	is(sum, 63 * 64 / 2, "64 at a time");
}

static volatile pthread_t handled_by;
static sem_t sem;
static volatile int stop;

static void note(int sig, siginfo_t *si, void *uc)
{
	(void)sig; (void)si; (void)uc;
	handled_by = pthread_self();
}

static void *waits(void *arg)
{
	sem_post(&sem);
	while (!stop)
		sleep_ms(1);
	return arg;
}

static void *spins(void *arg)
{
	sem_post(&sem);
	while (!stop)
		;
	return arg;
}

static void *ids(void *arg)
{
	(void)arg;
	return (void *)(raw0(SYS_gettid) != raw0(SYS_getpid) ? raw0(SYS_getpid) : 0);
}

static void signals(void)
{
	pthread_t t;
	void *r;
	int i;

	sem_init(&sem, 0, 0);
	on_signal(SIGUSR1, note, 0);
	pthread_create(&t, NULL, waits, NULL);
	sem_wait(&sem);
	pthread_kill(t, SIGUSR1);
	for (i = 0; i < 1000 && !handled_by; i++)
		sleep_ms(5);
	ok(handled_by == t, "pthread_kill reaches its thread");
	stop = 1;
	pthread_join(t, &r);

	/* A thread that never calls the kernel must be interrupted as well. */
	stop = 0;
	handled_by = 0;
	pthread_create(&t, NULL, spins, NULL);
	sem_wait(&sem);
	pthread_kill(t, SIGUSR1);
	for (i = 0; i < 1000 && !handled_by; i++)
		sleep_ms(5);
	ok(handled_by == t, "also one that spins");
	pthread_cancel(t);
	stop = 1;
	pthread_join(t, &r);

	stop = 0;
	pthread_create(&t, NULL, waits, NULL);
	sem_wait(&sem);
	pthread_cancel(t);
	pthread_join(t, &r);
	ok(r == PTHREAD_CANCELED, "cancellation");
	pthread_create(&t, NULL, ids, NULL);
	pthread_join(t, &r);
	is((long)r, getpid(), "a thread has its own id and the process' pid");
}

static void *owner_dies(void *m)
{
	pthread_mutex_lock(m);
	return NULL;
}

static void robust(void)
{
	pthread_mutexattr_t a;
	pthread_mutex_t m;
	pthread_t t;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&m, &a);
	pthread_create(&t, NULL, owner_dies, &m);
	pthread_join(t, NULL);
	is(pthread_mutex_lock(&m), EOWNERDEAD, "a robust mutex tells that its owner died");
	pthread_mutex_consistent(&m);
	is(pthread_mutex_unlock(&m), 0, "and can be made consistent");
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&m, &a);
	is(pthread_mutex_lock(&m), 0, "a priority-inheriting mutex locks");
	is(pthread_mutex_unlock(&m), 0, "and unlocks");
}

static void *forever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *exits(void *code)
{
	sleep_ms(20);
	exit((long)code);
}

static void *execs(void *arg)
{
	sleep_ms(20);
	execl("/proc/self/exe", "threads", "alone", NULL);
	return arg;
}

static int crowd(void *how)
{
	pthread_t t;
	int i;

	for (i = 0; i < 20; i++)
		pthread_create(&t, NULL, forever, NULL);
	switch ((long)how) {
	case 0:
		_exit(21);
	case 1:
		pthread_create(&t, NULL, exits, (void *)22);
		break;
	case 2:
		pthread_create(&t, NULL, execs, NULL);
		break;
	default:
		asm volatile("movb $1, 16" : : : "memory");
	}
	forever(NULL);
	return 0;
}

static void ends(void)
{
	int st = in_child(crowd, (void *)0);

	ok(exited_with(st, 21), "exit_group ends twenty threads");
	st = in_child(crowd, (void *)1);
	ok(exited_with(st, 22), "also from another thread");
	st = in_child(crowd, (void *)2);
	ok(exited_with(st, 23), "exec in a thread replaces the process (%#x)", st);
	st = in_child(crowd, (void *)3);
	ok(killed_by(st, SIGSEGV), "a fault in one kills all");
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "alone"))
		return getpid() == (pid_t)raw0(SYS_gettid) ? 23 : 1;
	locks();
	create();
	signals();
	robust();
	ends();
	return tap_done();
}
