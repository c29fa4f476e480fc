// SPDX-License-Identifier: GPL-2.0
/*
 * Power cuts. What the COW layer asks of the host is recorded (the linker's
 * --wrap puts us in between), then the medium is put together as a power cut
 * after each of these steps might have left it: what was synced is there, and
 * of every host sector that was written since any of its later contents, in
 * any combination. The file must open, and every sector of the disk must have
 * what it had at the last flush that returned, or something written later.
 *
 * That the test can fail is shown by ignoring syncs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cow_test.h"
#include "disk_file.h"

#define HOT		48	/* sectors of the disk that are used */
#define MAX_STEPS	4000
#define MAX_NOTES	4000

enum kind { WRITE, PUNCH, SYNC, LENGTH, NAME, SYNC_FOLDER };

/**
 * struct step - something the host was asked
 * @kind: what
 * @offset, @len: where
 * @bytes: WRITE: what; malloc()ed
 * @durable: a write that is on the medium at once
 */
static struct step {
	enum kind kind;
	uint64_t offset, len;
	unsigned char *bytes;
	int durable;
} steps[MAX_STEPS];
static int nr_steps, recording;

/* The sync of data or of the bitmap is ignored, to see that it is needed. */
static int ignore_first, ignore_last;

static struct step *add(enum kind kind, uint64_t offset, uint64_t len)
{
	struct step *step = &steps[nr_steps++];

	if (nr_steps == MAX_STEPS)
		abort();
	*step = (struct step){ .kind = kind, .offset = offset, .len = len };
	return step;
}

ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t offset)
{
	if (recording) {
		struct step *step = add(WRITE, offset, len);

		step->durable = !!(fcntl(fd, F_GETFL) & O_DSYNC);
		step->bytes = malloc(len);
		memcpy(step->bytes, buf, len);
	}
	return __real_pwrite(fd, buf, len, offset);
}

int __real_fallocate(int fd, int mode, off_t offset, off_t len);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len)
{
	if (recording)
		add(PUNCH, offset, len);
	return __real_fallocate(fd, mode, offset, len);
}

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	if (recording)
		add(SYNC, 0, 0);
	return 0;
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	struct stat st;

	if (recording && !fstat(fd, &st))
		add(S_ISDIR(st.st_mode) ? SYNC_FOLDER : SYNC, 0, 0);
	return 0;
}

int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len)
{
	if (recording)
		add(LENGTH, len, 0);
	return __real_ftruncate(fd, len);
}

int __real_linkat(int from, const char *a, int to, const char *b, int flags);
int __wrap_linkat(int from, const char *a, int to, const char *b, int flags);
int __wrap_linkat(int from, const char *a, int to, const char *b, int flags)
{
	if (recording)
		add(NAME, 0, 0);
	return __real_linkat(from, a, to, b, flags);
}

static void forget_steps(void)
{
	int i;

	for (i = 0; i < nr_steps; i++)
		free(steps[i].bytes);
	nr_steps = 0;
}

/**
 * struct note - a sector of the disk was written, or all were flushed
 * @begin: number of steps when that was asked for
 * @end: and when it was acknowledged
 * @sector: which; -1: a flush
 * @value: what all its bytes are
 * @flushed: the write itself is acknowledged as being on the medium
 */
static struct note {
	int begin, end, sector, value, flushed;
} notes[MAX_NOTES];
static int nr_notes;

static struct note *add_note(int begin, int sector, int value)
{
	if (nr_notes == MAX_NOTES)
		abort();
	notes[nr_notes] = (struct note){ begin, nr_steps, sector, value, 0 };
	return &notes[nr_notes++];
}

/* The disk: big enough for some blocks of bitmap, its last sector cut off. */
#define SECTORS		13003
#define DISK_SIZE	(SECTORS * 512ULL - 100)
#define DATA		12288	/* where its data begin; before, there is header and bitmap */

/* Where the hot sectors are: runs, single ones, both ends. */
static int hot(int i)
{
	static const int starts[] = { 0, 4090, 8191, 12288, 12600, SECTORS - 8 };

	return starts[i / 8] + i % 8;
}

static int backing_value(int sector)
{
	return 1 + sector % 50;
}

static int make_backing(void)
{
	unsigned char *bytes = malloc(SECTORS * 512);
	int i, fd;

	for (i = 0; i < SECTORS; i++)
		memset(bytes + i * 512, backing_value(i), 512);
	fd = memory_file(bytes, DISK_SIZE);
	free(bytes);
	return fd;
}

/* A COW file as it is before the workload: from its header on, without holes. */
static int make_cow_file(int backing_fd)
{
	struct cow_header h;
	char buf[COW_V3_LEN], name[32];
	struct stat st;
	int fd;

	if (fstat(backing_fd, &st) ||
	    cow_header_init(&h, fd_path(backing_fd, name), DISK_SIZE, st.st_mtime, 4096))
		abort();
	cow_header_format(&h, buf);
	fd = memory_file(buf, sizeof(buf));
	if (ftruncate(fd, h.data_offset + h.size))
		abort();
	return fd;
}

static void work(struct cow *cow, uint64_t seed, int sync)
{
	static unsigned char buf[8 * 512];
	uint64_t rnd = seed;
	int i, n, k, begin, value = 60, steps_wanted = 60 + next_random(&rnd) % 40;

	for (i = 0; i < steps_wanted; i++) {
		int first = next_random(&rnd) % HOT;

		begin = nr_steps;
		if (next_random(&rnd) % 5 == 0) {
			if (cow_flush(cow))
				abort();
			add_note(begin, -1, 0);
			continue;
		}
		n = 1 + next_random(&rnd) % (8 - first % 8);
		value = value == 255 ? 60 : value + 1;
		if (next_random(&rnd) % 6 == 0) {
			if (cow_discard(cow, n * 512, hot(first) * 512ULL))
				abort();
			for (k = 0; k < n; k++)
				add_note(begin, hot(first + k), 0);
			continue;
		}
		memset(buf, value, n * 512);
		if (cow_write(cow, buf, n * 512, hot(first) * 512ULL))
			abort();
		for (k = 0; k < n; k++)
			add_note(begin, hot(first + k), value)->flushed = sync;
	}
}

/* The medium after the first @cut steps; @mode 0: the least, 1: the most, else by chance. */
static int make_medium(int base_fd, uint64_t base_len, int cut, int mode, uint64_t *rnd)
{
	/* Touched host sectors: the content each may have. */
	struct content {
		uint64_t sector;
		int step, durable;
	};
	static struct content touched[MAX_STEPS * 8];
	int i, n = 0, synced = -1, fd, from;
	uint64_t s, longest = base_len;
	char base[DATA];

	for (i = 0; i < cut; i++) {
		if (steps[i].kind == SYNC) {
			int last = i && steps[i - 1].kind == WRITE && steps[i - 1].offset < DATA;

			if (!(last ? ignore_last : ignore_first))
				synced = i;
			continue;
		}
		for (s = steps[i].offset / 512;
		     s <= (steps[i].offset + steps[i].len - 1) / 512; s++)
			touched[n++] = (struct content){ s, i, steps[i].durable };
	}

	if (disk_file_read(base_fd, base, DATA, 0) != DATA)
		abort();
	fd = memory_file(base, DATA);	/* the rest is a hole */

	for (i = 0; i < n; i++) {
		struct content *c = &touched[i];
		struct step *step = &steps[c->step];
		static unsigned char bytes[512];
		uint64_t begin = c->sector * 512, end = begin + 512;

		/* Not synced: it may be missing; the sector then has what it had. */
		if (c->step > synced && !c->durable &&
		    (mode == 0 || (mode > 1 && next_random(rnd) % 2)))
			continue;
		if (begin < step->offset)
			begin = step->offset;
		if (end > step->offset + step->len)
			end = step->offset + step->len;
		from = begin - step->offset;
		if (step->kind == WRITE)
			memcpy(bytes, step->bytes + from, end - begin);
		else
			memset(bytes, 0, end - begin);
		if (disk_file_write(fd, bytes, end - begin, begin))
			abort();
		if (end > longest && (c->step <= synced || c->durable))
			longest = end;
	}
	if (ftruncate(fd, longest))
		abort();
	return fd;
}

/* Is this what sector @sector may have after @cut steps? */
static int allowed(int sector, int cut, int value)
{
	int i, base = -1, good = 0, flush = -1;

	for (i = 0; i < nr_notes && notes[i].end <= cut; i++)
		if (notes[i].sector < 0)
			flush = i;
	/* What was acknowledged as safe last, and everything since. */
	for (i = 0; i < nr_notes && notes[i].begin < cut; i++) {
		if (notes[i].sector != sector)
			continue;
		if (i < flush || (notes[i].flushed && notes[i].end <= cut)) {
			base = notes[i].value;
			good = 0;
		}
		good |= value == notes[i].value;
	}
	return good || value == (base < 0 ? backing_value(sector) : base);
}

/* Returns 1 if the medium is right. */
static int verify(int fd, int cut)
{
	unsigned char buf[512];
	struct cow *cow;
	char name[32];
	int i, good = 1;

	if (cow_open(fd_path(fd, name), NULL, COW_NO_LOCK, NULL, &cow))
		return 0;
	for (i = 0; i < HOT && good; i++) {
		int sector = hot(i), bytes = sector == SECTORS - 1 ? 412 : 512, b;

		if (cow_read(cow, buf, 512, sector * 512ULL))
			good = 0;
		for (b = 1; b < bytes; b++)
			good &= buf[b] == buf[0];
		good &= allowed(sector, cut, buf[0]);
	}
	cow_close(cow);
	return good;
}

/* One workload, cut everywhere. Returns the number of wrong media. */
static int cut_everywhere(uint64_t seed, int sync, int *media)
{
	int backing_fd = make_backing(), base_fd = make_cow_file(backing_fd), fd;
	int copy_fd = make_cow_file(backing_fd), cut, mode, wrong = 0;
	uint64_t base_len, rnd = seed;
	struct cow *cow;
	char name[32];

	if (disk_file_size(base_fd, &base_len) ||
	    cow_open(fd_path(copy_fd, name), NULL, sync ? COW_SYNC : 0, NULL, &cow))
		abort();
	nr_notes = 0;
	recording = 1;
	work(cow, seed, sync);
	recording = 0;
	cow_close(cow);

	for (cut = 0; cut <= nr_steps; cut++) {
		for (mode = 0; mode < 6; mode++) {
			fd = make_medium(base_fd, base_len, cut, mode, &rnd);
			if (!verify(fd, cut)) {
				if (!wrong && !ignore_first && !ignore_last)
					printf("# seed %llu sync %d cut %d mode %d\n",
					       (unsigned long long)seed, sync, cut, mode);
				wrong++;
			}
			close(fd);
			++*media;
		}
	}
	forget_steps();
	close(base_fd);
	close(copy_fd);
	close(backing_fd);
	return wrong;
}

/* The name comes when all is on the medium, and nobody is told before the name is. */
static void test_creation(void)
{
	char folder[] = "/tmp/cow-test-XXXXXX", back[64], cow[64];
	int i, fd, kinds[8] = { 0 }, order = 1, state = 0;

	if (!mkdtemp(folder))
		abort();
	snprintf(back, sizeof(back), "%s/back", folder);
	snprintf(cow, sizeof(cow), "%s/cow", folder);
	fd = open(back, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1)
		abort();
	close(fd);

	recording = 1;
	i = cow_create(cow, back, 0, NULL);
	recording = 0;
	check(!i, "crash: a COW file is created");
	/* 0: content, 1: synced, 2: named, 3: the name is synced. */
	for (i = 0; i < nr_steps; i++) {
		kinds[steps[i].kind]++;
		switch (steps[i].kind) {
		case WRITE:
		case LENGTH:
			order &= state == 0;
			break;
		case SYNC:
			order &= state == 0;
			state = 1;
			break;
		case NAME:
			order &= state == 1;
			state = 2;
			break;
		case SYNC_FOLDER:
			order &= state == 2;
			state = 3;
			break;
		default:
			order = 0;
		}
	}
	check(order && state == 3 && kinds[WRITE] && kinds[LENGTH],
	      "crash: content, sync, name, sync of the folder");
	forget_steps();
	unlink(cow);
	unlink(back);
	rmdir(folder);
}

void test_crash(uint64_t rounds)
{
	int media = 0, wrong = 0, ignored = 0;
	uint64_t seed;

	test_creation();
	for (seed = 0; seed < rounds; seed++)
		wrong += cut_everywhere(seed, seed % 4 == 3, &media);
	check(!wrong, "crash: %d of %d media are wrong", wrong, media);

	ignore_first = 1;
	for (seed = 0; seed < 3; seed++)
		ignored += cut_everywhere(seed, 0, &media);
	check(ignored, "crash: without the sync of data %d are", ignored);
	ignore_first = 0;
	ignore_last = 1;
	ignored = 0;
	for (seed = 0; seed < 3; seed++)
		ignored += cut_everywhere(seed, 0, &media);
	check(ignored, "crash: without the sync of the bitmap %d are", ignored);
	ignore_last = 0;
}
