/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of uml_moo. Each prints its own messages and returns an exit code. */
#ifndef __UM_MOO_H
#define __UM_MOO_H

#include "cow.h"

/**
 * moo_new() - merge a COW file and its backing file into a new image
 * @cow_path: the COW file
 * @backing: the backing file, or NULL for the header's
 * @target: the new image: replaced if it is a file; written to if it is a block device
 * @flags: 0 or COW_ACCEPT
 */
int moo_new(const char *cow_path, const char *backing, const char *target, int flags);

/** moo_in_place() - merge a COW file into its backing file; as moo_new() */
int moo_in_place(const char *cow_path, const char *backing, int flags);

/**
 * moo_copy_disk() - write the disk that a COW file and its backing file are
 * @cow: open
 * @fd: where to
 * @empty: what is not written there reads as zeroes
 * @size: set to the bytes of the disk
 *
 * Returns 0 or a negative errno; no message. -EPERM: the image would begin
 * like a COW file.
 */
int moo_copy_disk(const struct cow *cow, int fd, int empty, uint64_t *size);

/**
 * moo_check_disk() - 0, or -EPERM if the disk begins like a COW file
 *
 * A guest may have written that into a COW file. As an image it would be
 * opened as a COW file, over whatever file of the host the guest named.
 */
int moo_check_disk(const struct cow *cow);

/** moo_check_free() - 0, or -EAGAIN with a message if somebody uses the file @path */
int moo_check_free(const char *path);

/** moo_is_cow() - does a file begin like a COW file? 0 also if it can't be read */
int moo_is_cow(const char *path);

/** moo_info() - print what a COW file or image is; @json: as JSON */
int moo_info(const char *path, int json);

/**
 * moo_convert() - make an image of another format
 * @source: COW file or image
 * @target: new file
 * @format: "raw", or what qemu-img knows
 * @backing: other backing file, or NULL
 * @flags: 0 or COW_ACCEPT
 */
int moo_convert(const char *source, const char *target, const char *format,
		const char *backing, int flags);

#endif
