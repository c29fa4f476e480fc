/* SPDX-License-Identifier: GPL-2.0 */
/* Attacks on the host half of hostfs: what they share. */
#ifndef HOSTFS_ATTACK_H
#define HOSTFS_ATTACK_H

#include "../../../../fs/hostfs/hostfs_host.h"

#define SECRET	"what no guest may see"

/**
 * struct attack - one way to get at what is not the guest's
 * @name: of one word
 * @run: returns 1 if it succeeded
 * @needs_root: means nothing to ordinary users
 */
struct attack {
	const char *name;
	int (*run)(void);
	int needs_root;
};

/*
 * The tree: inside/ is what hostfs= names, @root a path descriptor of it. Beside it
 * is outside/ with the file secret. The working directory is above both.
 */
extern int root;

/** ours() - a path descriptor of inside/NAME, or -1 */
int ours(const char *name);

/** is_secret() - does a descriptor of a regular file lead to the secret? Closes it. */
int is_secret(int fd);

/** is_outside() - is it a path descriptor of what lies outside, or of any parent? Closes it. */
int is_outside(int fd);

/** swap() - exchange inside/A and inside/B all the time, until it is called with NULL */
void swap(const char *a, const char *b);

/** swapping() - 0 when that was enough */
int swapping(void);

/** must() - end the test if something that has to work fails */
#define must(call)							\
({									\
	long must_ret = (call);						\
									\
	if (must_ret < 0)						\
		give_up(__LINE__, #call);				\
	must_ret;							\
})

void __attribute__((noreturn)) give_up(int line, const char *what);

extern const struct attack name_attacks[], file_attacks[];

#endif
