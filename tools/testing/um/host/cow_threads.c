// SPDX-License-Identifier: GPL-2.0
/* Several threads write, discard, read and flush one COW file. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cow_test.h"

#define THREADS		4
#define OWN		3000		/* sectors of each, which alternate */
#define ROUNDS		4000

static struct cow *cow;
static int wrong;

static void *work(void *arg)
{
	static __thread unsigned char model[OWN], buf[512];
	uint64_t rnd = (uintptr_t)arg, i;

	memset(model, 1, sizeof(model));
	for (i = 0; i < ROUNDS; i++) {
		uint64_t n = next_random(&rnd) % OWN, at = (n * THREADS + (uintptr_t)arg) * 512;
		int k, bad = 0;

		switch (next_random(&rnd) % 16) {
		case 0:
			bad = cow_flush(cow);
			break;
		case 1:
			bad = cow_discard(cow, 512, at);
			model[n] = 0;
			break;
		case 2 ... 8:
			model[n] = 2 + i % 250;
			memset(buf, model[n], 512);
			bad = cow_write(cow, buf, 512, at);
			break;
		default:
			bad = cow_read(cow, buf, 512, at);
			for (k = 0; k < 512; k++)
				bad |= buf[k] != model[n];
		}
		if (bad)
			__atomic_store_n(&wrong, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

void test_threads(void)
{
	uint64_t size = THREADS * OWN * 512ULL;
	unsigned char *bytes = malloc(size), *disk = malloc(size);
	pthread_t threads[THREADS];
	struct cow_header h;
	char head[COW_V3_LEN], name[32];
	struct stat st;
	int backing, fd;
	uintptr_t i;

	memset(bytes, 1, size);
	backing = memory_file(bytes, size);
	if (fstat(backing, &st) ||
	    cow_header_init(&h, fd_path(backing, name), size, st.st_mtime, 4096))
		abort();
	cow_header_format(&h, head);
	fd = memory_file(head, sizeof(head));
	if (ftruncate(fd, h.data_offset + size) ||
	    cow_open(fd_path(fd, name), NULL, 0, NULL, &cow))
		abort();
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)i))
			abort();
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	check(!wrong, "threads: each finds what it wrote");
	wrong = cow_read(cow, bytes, size, 0) || cow_close(cow) ||
		cow_open(fd_path(fd, name), NULL, 0, NULL, &cow) || !cow_settled(cow) ||
		cow_read(cow, disk, size, 0);
	check(!wrong && !memcmp(bytes, disk, size), "threads: and so does who opens the file again");
	cow_close(cow);
	close(fd);
	close(backing);
	free(bytes);
	free(disk);
}
