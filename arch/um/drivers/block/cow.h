/* SPDX-License-Identifier: GPL-2.0 */
/*
 * COW files: a disk made of a file that is only read, the backing file, and
 * one that holds the sectors that were written, the COW file. Used by ./linux
 * and by the tools. Errors are negative errno values; the reason goes to a
 * struct cow_report first. Documentation/virt/uml/cow.rst has the format and
 * the rules.
 */
#ifndef __UM_COW_H
#define __UM_COW_H

#include <sys/types.h>

#include "cow_header.h"
#include "cow_map.h"

/* How to open or make a COW file. */
#define COW_READ_ONLY	1	/* the COW file is not written to */
#define COW_SYNC	2	/* every write is on the medium when it returns */
#define COW_NO_LOCK	4	/* take no locks */
#define COW_ACCEPT	8	/* take a backing file that was changed */
#define COW_CREATE	16	/* make the COW file if there is none */
#define COW_ALONE	32	/* don't open the backing file */
#define COW_REPLACE	64	/* cow_create(): an existing file is replaced */
#define COW_RELATIVE	128	/* cow_create(): keep the backing file's name relative */
#define COW_MERGE	256	/* the backing file will be written to */
#define COW_OVERRIDE	512	/* take the given backing file, leave the header alone */

/* Blocks of the bitmap that a flush holds at a time: 1 GiB of the disk. */
#define COW_FLUSH_BLOCKS	512

/**
 * struct cow - an open COW file
 * @fd: the COW file
 * @backing_fd: the backing file; -1 with COW_ALONE
 * @borrowed: @fd is the caller's
 * @flags: COW_*; COW_READ_ONLY is added if the file can't be written
 * @backing_size: bytes of the disk that the backing file has; fewer than all with
 *	COW_ACCEPT
 * @file_size: bytes of the COW file when it was opened
 * @header: what the header says
 * @path: name of the COW file
 * @backing: name of the backing file that is used
 * @map: which sectors the COW file has
 * @settled: map.added when all bits of that time were on the medium
 * @flush_lock: one flush at a time
 * @flush_begun: counts flushes
 * @flush_good: number of the last one that succeeded
 * @failed: a sync lost data: the error of this and of all later flushes
 * @flush_buf: for pieces of the bitmap
 */
struct cow {
	int fd;
	int backing_fd;
	int borrowed;
	int flags;
	uint64_t backing_size;
	uint64_t file_size;
	struct cow_header header;
	char *path;
	char *backing;
	struct cow_map map;
	uint64_t settled;
	pthread_mutex_t flush_lock;
	uint64_t flush_begun;
	uint64_t flush_good;
	int failed;
	void *flush_buf;
};

/**
 * cow_open() - open a COW file and the file below it
 * @path: the COW file
 * @backing: the backing file, or NULL for the one that the header names
 * @flags: COW_*
 * @report: receives messages
 * @cow: set
 *
 * If @backing is another file than the header names, but has its size and
 * time, the header is changed to it; that of an old version is not, then
 * @backing only serves this time. If it has not, the header's file is kept.
 *
 * Both files are locked, before they are looked at. -EAGAIN: somebody else holds a lock.
 * -EMEDIUMTYPE: @path is there, but is no COW file. May block for long; 32 KiB
 * of stack are enough.
 */
int cow_open(const char *path, const char *backing, int flags, struct cow_report *report,
	     struct cow **cow);

/**
 * cow_attach() - open a COW file whose descriptor is there
 * @fd: the file: open, and locked if it is to be; cow_close() leaves it open
 * @path, @backing, @flags, @report, @cow: as for cow_open()
 */
int cow_attach(int fd, const char *path, const char *backing, int flags,
	       struct cow_report *report, struct cow **cow);

/** cow_close() - what was not flushed is; returns cow_flush()'s result. Blocks. */
int cow_close(struct cow *cow);

/**
 * cow_create() - make an empty COW file
 * @path: its name
 * @backing: its backing file
 * @flags: COW_REPLACE, COW_RELATIVE or 0
 * @report: receives messages
 *
 * The file appears under its name when it is complete and on the medium. It
 * is sparse: what it takes does not depend on the disk's size. Returns
 * -EEXIST without a message if there is something of that name.
 */
int cow_create(const char *path, const char *backing, int flags, struct cow_report *report);

/**
 * struct cow_piece - what lies in one piece in a file
 * @fd: the file; -1: nowhere, it reads as zeroes
 * @offset: first byte in it
 * @len: bytes
 */
struct cow_piece {
	int fd;
	uint64_t offset;
	uint64_t len;
};

/**
 * cow_map_piece() - where bytes of the disk are to be read
 * @cow: the file
 * @offset: first byte of the disk
 * @len: at least 1: no more than these
 * @piece: set to the first of them that lie together
 *
 * Never waits.
 */
void cow_map_piece(const struct cow *cow, uint64_t offset, uint64_t len,
		   struct cow_piece *piece);

/**
 * cow_in_place() - may a write go straight to the COW file?
 * @cow: the file
 * @offset: first byte of the disk
 * @len: bytes, more than 0
 * @durable: the write has to be on the medium when it returns
 *
 * Returns 1 if all of the sectors are in the COW file (and, with @durable, its
 * bitmap knows them), so that nothing but the data has to be written, at
 * cow_offset(). Never waits.
 */
int cow_in_place(const struct cow *cow, uint64_t offset, uint64_t len, int durable);

/** cow_offset() - where a byte of the disk is in the COW file */
static inline uint64_t cow_offset(const struct cow *cow, uint64_t offset)
{
	return cow->header.data_offset + offset;
}

/**
 * cow_written() - data have been written at cow_offset()
 * @cow: the file
 * @offset: first byte of the disk; a multiple of COW_SECTOR
 * @len: bytes; a multiple of COW_SECTOR
 *
 * To be called for each write that cow_in_place() did not allow, before
 * anybody is told that it is done. From then on reads find the data; they
 * outlast the machine after cow_flush(). -EIO: an old COW file can't have
 * some of these sectors.
 */
int cow_written(struct cow *cow, uint64_t offset, uint64_t len);

/** cow_has_room() - 0, or -EIO if an old COW file can't have some of these sectors */
int cow_has_room(const struct cow *cow, uint64_t offset, uint64_t len);

/** cow_settled() - would cow_flush() do no more than sync the COW file? Never waits. */
int cow_settled(const struct cow *cow);

/**
 * cow_flush() - have all that is written on the medium
 *
 * All writes that were reported by cow_written() are there, and found again
 * after a power cut, when this returns 0. Once the host reported that data are
 * lost, this and every later flush fails. Blocks. Any number of threads at
 * a time; one sync serves all that wait for it.
 */
int cow_flush(struct cow *cow);

/**
 * cow_lost() - a sync of the COW file by somebody else failed
 * @cow: the file
 * @err: the error that all later flushes return
 *
 * Never waits.
 */
void cow_lost(struct cow *cow, int err);

/* All at once, for those who don't care about threads. */

/** cow_read() - read bytes of the disk; past its end are zeroes. 0 or -errno. */
int cow_read(const struct cow *cow, void *buf, uint64_t len, uint64_t offset);

/** cow_write() - write whole sectors of the disk; 0 or a negative errno */
int cow_write(struct cow *cow, const void *buf, uint64_t len, uint64_t offset);

/**
 * cow_discard() - whole sectors of the disk read as zeroes from now on
 *
 * Their place in the COW file is freed. -EOPNOTSUPP: the host's file system
 * can't do it; nothing happened.
 */
int cow_discard(struct cow *cow, uint64_t len, uint64_t offset);

/* For files of the COW layer and tools. */

/**
 * struct cow_backing - a file that is below, or may be
 * @path: its name; malloc()ed
 * @fd: open for reading, or -1
 * @size: bytes
 * @mtime: seconds, modulo 2^32
 * @is_device: a block device: its time says nothing
 * @dev, @ino: which file it is
 */
struct cow_backing {
	char *path;
	int fd;
	uint64_t size;
	uint32_t mtime;
	int is_device;
	dev_t dev;
	ino_t ino;
};

/**
 * cow_backing_open() - open and lock a backing file
 * @b: filled in
 * @path: its name
 * @flags: COW_NO_LOCK, COW_MERGE
 * @report: gets a message if the lock is refused (-EAGAIN), else none
 */
int cow_backing_open(struct cow_backing *b, const char *path, int flags,
		     struct cow_report *report);

/** cow_backing_close() - forget it */
void cow_backing_close(struct cow_backing *b);

/**
 * cow_backing_choose() - find, check and open the file below a COW file
 * @b: filled in
 * @cow: has path, flags and header
 * @wanted: the user's, or NULL
 * @report: receives messages
 * @rename: set to 1 if the header should name @b->path
 */
int cow_backing_choose(struct cow_backing *b, const struct cow *cow, const char *wanted,
		       struct cow_report *report, int *rename);

/**
 * cow_backing_absolute() - the name that a header stores
 * @path: a file that exists
 *
 * The folder is resolved, the file's own name is not. malloc()ed; NULL with errno.
 */
char *cow_backing_absolute(const char *path);

/**
 * cow_backing_relative() - the same, as seen from the folder of a COW file
 * @path: a file that exists
 * @cow_path: the COW file
 */
char *cow_backing_relative(const char *path, const char *cow_path);

/** cow_backing_is_cow() - refuse a backing file that is a COW file; 0 or -EINVAL */
int cow_backing_is_cow(const struct cow_backing *b, struct cow_report *report);

/** cow_lock() - lock a file, with a message if somebody is in the way */
int cow_lock(int fd, const char *path, int write, struct cow_report *report);

#endif
