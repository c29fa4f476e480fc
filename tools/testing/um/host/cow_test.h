/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of the COW layer share. */
#ifndef COW_TEST_H
#define COW_TEST_H

#include <stdint.h>
#include <stdio.h>

#include "check.h"
#include "cow.h"

/* A generator whose numbers depend on the seed only. */
uint64_t next_random(uint64_t *state);

/* The name under which an open descriptor can be opened again. */
const char *fd_path(int fd, char buf[32]);

/* A nameless file with these bytes. */
int memory_file(const void *bytes, uint64_t len);

/* A report that keeps the last error in a buffer. */
struct kept_report {
	struct cow_report report;
	int errors;
	char text[1024];
};

void kept_report_init(struct kept_report *kept);

/**
 * struct expected - what a file means, found out independently of the COW layer
 * @valid: it is a good COW file
 * @size, @mtime, @path: of its header
 * @sectors: of the disk
 * @disk: the disk's bytes over the given backing file, @sectors * 512; malloc()ed
 */
struct expected {
	int valid;
	uint64_t size, sectors;
	uint32_t mtime;
	char path[4097];
	unsigned char *disk;
};

/* @backing may be NULL: @disk is not made then. */
void reference(struct expected *e, const unsigned char *file, uint64_t len,
	       const unsigned char *backing, uint64_t backing_len);

void test_headers(void);
void test_map(void);
void test_rules(void);
void test_fuzz(uint64_t rounds);
void test_crash(uint64_t rounds);
void test_threads(void);

#endif
