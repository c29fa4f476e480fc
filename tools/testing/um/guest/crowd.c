// SPDX-License-Identifier: GPL-2.0
/*
 * Many sleeping threads: starts so many, says "CROWD-READY", waits for a line of
 * input, wakes them all and waits for their end.
 *
 *   crowd THREADS
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t over = PTHREAD_COND_INITIALIZER;
static int done, woken;

static void *sleeper(void *arg)
{
	pthread_mutex_lock(&lock);
	while (!done)
		pthread_cond_wait(&over, &lock);
	woken++;
	pthread_mutex_unlock(&lock);
	return arg;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 0, i, err = 0;
	pthread_t *t = calloc(threads + 1, sizeof(*t));
	pthread_attr_t attr;
	char line[64];

	if (threads <= 0 || !t) {
		fprintf(stderr, "usage: crowd THREADS\n");
		return 2;
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (i = 0; i < threads && !err; i++)
		err = pthread_create(&t[i], &attr, sleeper, NULL);
	if (err) {
		printf("CROWD-FAILED %d: %s\n", --i, strerror(err));
		return 1;
	}
	printf("CROWD-READY\n");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		line[0] = 0;
	pthread_mutex_lock(&lock);
	done = 1;
	pthread_cond_broadcast(&over);
	pthread_mutex_unlock(&lock);
	for (i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	return woken == threads ? 0 : 3;
}
