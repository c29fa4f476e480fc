// SPDX-License-Identifier: GPL-2.0
/*
 * Damaged COW files: each is refused with one message, or read as
 * cow_reference.c reads it. The seeds are fixed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cow_test.h"
#include "disk_file.h"

#define MAX_FILE	200000
#define MAX_BACKING	100000

/**
 * struct sample - a COW file in memory
 * @file, @len: its bytes
 * @backing, @backing_len: those of the file below
 * @path: the name of that
 * @mtime: its time
 * @fields: where numbers of the header are
 * @nr_fields: how many
 */
struct sample {
	unsigned char file[MAX_FILE];
	uint64_t len;
	unsigned char backing[MAX_BACKING];
	uint64_t backing_len;
	char path[32];
	uint32_t mtime;
	int fields[8], nr_fields;
};

static void put(struct sample *s, int at, uint64_t value, int bytes, int little)
{
	int i;

	for (i = 0; i < bytes; i++)
		s->file[at + (little ? i : bytes - 1 - i)] = value >> (8 * i);
	s->fields[s->nr_fields++] = at;
}

/* A good file of one of five kinds. */
static void make_good(struct sample *s, uint64_t *rnd)
{
	int kind = next_random(rnd) % 5, gap = kind == 4 ? 4 : 0;
	uint64_t size = 1 + next_random(rnd) % (MAX_BACKING - 1), i, header, bitmap, len, data;
	uint64_t align = 512 << next_random(rnd) % 5;

	if (next_random(rnd) % 2)
		size = size / 512 * 512 + 512;
	if (size > MAX_BACKING)
		size = MAX_BACKING / 512 * 512;
	memset(s->file, 0, sizeof(s->file));
	s->nr_fields = 0;
	s->backing_len = size;
	for (i = 0; i < size; i++)
		s->backing[i] = next_random(rnd);

	put(s, 0, 0x4f4f4f4d, 4, kind == 0);
	put(s, 4, kind < 2 ? 1 : kind == 2 ? 2 : 3, 4, kind == 0);
	if (kind < 2) {
		header = 280;
		strcpy((char *)s->file + 8, s->path);
		put(s, 264, s->mtime, 4, 1);
		put(s, 268, size, 8, 1);
		put(s, 276, 512, 4, 1);
	} else if (kind == 2) {
		header = 4120;
		strcpy((char *)s->file + 8, s->path);
		put(s, 4104, s->mtime, 4, 0);
		put(s, 4108, size, 8, 0);
		put(s, 4116, 512, 4, 0);
	} else {
		header = 4128 + 2 * gap;
		put(s, 8, s->mtime, 4, 0);
		put(s, 12 + gap, size, 8, 0);
		put(s, 20 + gap, 512, 4, 0);
		put(s, 24 + gap, align, 4, 0);
		put(s, 28 + gap, 0, 4, 0);
		strcpy((char *)s->file + 32 + gap, s->path);
	}
	bitmap = kind < 3 ? header : (header + align - 1) / align * align;
	len = kind < 3 ? (size + 511) / 4096 : ((size + 511) / 512 + 7) / 8;
	if (kind < 3)
		align = 512;
	data = (bitmap + len + align - 1) / align * align;
	for (i = 0; i < len; i++)
		s->file[bitmap + i] = next_random(rnd) % 3 ? next_random(rnd) : 0;
	for (i = data; i < data + size; i++)
		s->file[i] = next_random(rnd);
	s->len = data + size;
}

static uint64_t odd_value(const struct sample *s, uint64_t *rnd)
{
	static const uint64_t values[] = {
		0, 1, 2, 3, 4, 5, 7, 8, 255, 256, 511, 512, 513, 1024, 4095, 4096, 4097, 65536,
		0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32, 1ULL << 40, (1ULL << 62) - 1,
		1ULL << 62, INT64_MAX - 8192, INT64_MAX - 511, INT64_MAX, 1ULL << 63,
		UINT64_MAX - 511, UINT64_MAX,
	};
	int n = sizeof(values) / sizeof(values[0]), i = next_random(rnd) % (n + 3);

	return i < n ? values[i] : i == n ? s->backing_len + 1 :
	       i == n + 1 ? s->backing_len - 1 : next_random(rnd);
}

static void damage(struct sample *s, uint64_t *rnd)
{
	uint64_t at, value = odd_value(s, rnd);
	int i, field = s->fields[next_random(rnd) % s->nr_fields];
	int bytes = 4 << next_random(rnd) % 2;

	switch (next_random(rnd) % 8) {
	case 0:			/* a number, in one order or the other */
	case 1:
		for (i = 0; i < bytes; i++)
			s->file[field + i] = value >> 8 * (next_random(rnd) % 8 ? bytes - 1 - i : i);
		break;
	case 2:			/* a bit of a number */
		s->file[field + next_random(rnd) % 8] ^= 1 << next_random(rnd) % 8;
		break;
	case 3:			/* anywhere in the header */
		s->file[next_random(rnd) % 4200] = next_random(rnd);
		break;
	case 4:			/* cut off */
		at = next_random(rnd) % 3 ? 3 + next_random(rnd) % 5000 : next_random(rnd) % s->len;
		if (at < s->len)
			s->len = at;
		break;
	case 5:			/* a little shorter */
		at = next_random(rnd) % 2000;
		s->len = at < s->len ? s->len - at : 0;
		break;
	case 6:			/* a name without end */
		at = s->file[7] == 3 ? 32 : 8;
		memset(s->file + at, 'x', next_random(rnd) % 2 ? 4096 : 256);
		break;
	case 7:			/* longer, with garbage */
		at = next_random(rnd) % 5000;
		for (; at && s->len < MAX_FILE; at--)
			s->file[s->len++] = next_random(rnd);
		break;
	}
}

/* How does the COW layer see it? Returns a text if that is wrong. */
static const char *compare(const struct sample *s, int cow_fd)
{
	struct kept_report kept;
	struct expected e;
	struct cow *cow = NULL;
	static unsigned char disk[MAX_BACKING + 512];
	const char *wrong = NULL;
	char name[32];
	int err, probe;

	reference(&e, s->file, s->len, s->backing, s->backing_len);
	kept_report_init(&kept);
	fd_path(cow_fd, name);
	probe = cow_header_probe(s->file, s->len < 4 ? s->len : 4);

	err = cow_open(name, NULL, COW_ALONE | COW_READ_ONLY, &kept.report, &cow);
	if (!err) {
		if (!e.valid)
			wrong = "a bad file is accepted";
		cow_close(cow);
		if (wrong)
			goto out;
	} else if (e.valid && err != -ENOMEM) {
		wrong = "a good file is refused";
	} else if (kept.errors != 1) {
		wrong = "refused without one message";
	} else if (probe && err == -EMEDIUMTYPE) {
		wrong = "a file with the magic number is taken for an image";
	}
	if (wrong || err)
		goto out;

	kept_report_init(&kept);
	err = cow_open(name, NULL, 0, &kept.report, &cow);
	if (err) {
		if (e.size == s->backing_len && e.mtime == s->mtime && !strcmp(e.path, s->path))
			wrong = "the backing file is refused";
		else if (!kept.errors)
			wrong = "the backing file is refused without a word";
		goto out;
	}
	if (e.size != s->backing_len || e.mtime != s->mtime || strcmp(e.path, s->path)) {
		wrong = "a wrong backing file is accepted";
	} else {
		err = cow_read(cow, disk, e.sectors * 512, 0);
		if (err || memcmp(disk, e.disk, e.sectors * 512))
			wrong = "the disk is not what it should be";
	}
	cow_close(cow);
out:
	free(e.disk);
	return wrong;
}

void test_fuzz(uint64_t rounds)
{
	struct sample *s = calloc(1, sizeof(*s));
	int refused = 0, failed = 0, backing_fd, cow_fd, n;
	uint64_t round, rnd;
	const char *wrong;
	struct stat st;

	/* Numbers that no shortened name hits. */
	cow_fd = fcntl(memory_file("", 0), F_DUPFD_CLOEXEC, 500);
	backing_fd = fcntl(memory_file("", 0), F_DUPFD_CLOEXEC, 600);
	fd_path(backing_fd, s->path);

	for (round = 0; round < rounds && failed < 10; round++) {
		struct expected e;

		rnd = round;
		make_good(s, &rnd);
		if (ftruncate(backing_fd, 0) ||
		    disk_file_write(backing_fd, s->backing, s->backing_len, 0) ||
		    fstat(backing_fd, &st))
			abort();
		s->mtime = st.st_mtime;
		rnd = round;
		make_good(s, &rnd);
		for (n = next_random(&rnd) % 4; n; n--)
			damage(s, &rnd);
		if (ftruncate(cow_fd, 0) || disk_file_write(cow_fd, s->file, s->len, 0))
			abort();
		wrong = compare(s, cow_fd);
		if (wrong) {
			failed++;
			check(0, "fuzz: seed %llu: %s", (unsigned long long)round, wrong);
		}
		reference(&e, s->file, s->len, NULL, 0);
		refused += !e.valid;
	}
	check(!failed, "fuzz: %llu files are read right or refused", (unsigned long long)rounds);
	/* Both must occur often, or the test says little. */
	check(rounds < 100 || (refused > (int)rounds / 10 && refused < (int)rounds * 9 / 10),
	      "fuzz: %d of them are bad", refused);
	close(backing_fd);
	close(cow_fd);
	free(s);
}
