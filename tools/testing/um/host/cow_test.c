// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the COW layer (arch/um/drivers/block/cow*.c) without a kernel. TAP.
 *
 *	cow_test [PART [ROUNDS]]	headers, map, rules, fuzz, crash, threads
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cow_test.h"
#include "disk_file.h"

/* splitmix64 */
uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

const char *fd_path(int fd, char buf[32])
{
	snprintf(buf, 32, "/proc/self/fd/%d", fd);
	return buf;
}

int memory_file(const void *bytes, uint64_t len)
{
	int fd = memfd_create("cow-test", MFD_CLOEXEC);

	if (fd < 0 || disk_file_write(fd, bytes, len, 0) < 0) {
		perror("memfd");
		exit(2);
	}
	return fd;
}

static void keep_line(struct cow_report *report, enum cow_level level, const char *text)
{
	struct kept_report *kept = (struct kept_report *)report;

	if (level != COW_ERROR)
		return;
	kept->errors++;
	snprintf(kept->text, sizeof(kept->text), "%s", text);
}

void kept_report_init(struct kept_report *kept)
{
	memset(kept, 0, sizeof(*kept));
	kept->report.line = keep_line;
}

int main(int argc, char **argv)
{
	const char *part = argc > 1 ? argv[1] : NULL;
	uint64_t rounds = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;

	if (!part || !strcmp(part, "headers"))
		test_headers();
	if (!part || !strcmp(part, "map"))
		test_map();
	if (!part || !strcmp(part, "rules"))
		test_rules();
	if (!part || !strcmp(part, "fuzz"))
		test_fuzz(rounds ? rounds : 4000);
	if (!part || !strcmp(part, "crash"))
		test_crash(rounds ? rounds : 12);
	if (!part || !strcmp(part, "threads"))
		test_threads();
	return check_end();
}
