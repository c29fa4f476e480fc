/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Headers of COW files: what they say, and where it puts the bitmap and the
 * data. Works on bytes in memory only. Host half and tools.
 */
#ifndef __UM_COW_HEADER_H
#define __UM_COW_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "cow_report.h"

#define COW_SECTOR		512
#define COW_PATH_MAX		4096
#define COW_HEADER_MAX		4136	/* longest header of all versions */
#define COW_V3_LEN		4128
#define COW_V3_PATH		32	/* where the path begins */
#define COW_V3_MTIME		8

/**
 * struct cow_header - a header of any version
 * @version: 1, 2 or 3
 * @broken: version 3 with the gap that 64-bit programs left until 2005
 * @mtime: when the backing file was last changed, in seconds modulo 2^32
 * @size: bytes of the backing file
 * @alignment: of bitmap and data; a power of two
 * @header_len: bytes of the header in the file
 * @bitmap_offset: where the bitmap begins
 * @bitmap_len: its bytes
 * @data_offset: where sector 0 would be
 * @sectors: of the disk: @size in sectors, rounded up
 * @tracked: sectors that have a bit; old versions forget up to seven
 * @backing: name of the backing file
 */
struct cow_header {
	int version;
	int broken;
	uint32_t mtime;
	uint64_t size;
	uint32_t alignment;
	uint32_t header_len;
	uint64_t bitmap_offset;
	uint64_t bitmap_len;
	uint64_t data_offset;
	uint64_t sectors;
	uint64_t tracked;
	char backing[COW_PATH_MAX];
};

/**
 * cow_header_probe() - does a file begin like a COW file?
 * @buf: its first bytes
 * @len: how many there are
 *
 * Returns 1 if it has the magic number, also when the rest is bad: such a
 * file must not be taken for a plain image.
 */
int cow_header_probe(const void *buf, size_t len);

/**
 * cow_header_parse() - read and check a header
 * @header: filled in
 * @buf: the first bytes of the file
 * @len: how many, COW_HEADER_MAX if the file is that long
 * @file_size: bytes in the file
 * @name: of the file, for messages
 * @report: gets one line if the header is refused
 *
 * Returns 0, -EINVAL, or -EMEDIUMTYPE if there is no magic number.
 */
int cow_header_parse(struct cow_header *header, const void *buf, size_t len,
		     uint64_t file_size, const char *name, struct cow_report *report);

/**
 * cow_header_init() - a header of version 3 for a new file
 * @header: filled in
 * @backing: name of the backing file
 * @size: its bytes
 * @mtime: its time
 * @alignment: the host's page size
 *
 * Returns 0, -ENAMETOOLONG, or -EFBIG if no file can be that long.
 */
int cow_header_init(struct cow_header *header, const char *backing, uint64_t size,
		    uint32_t mtime, uint32_t alignment);

/** cow_header_format() - put a version 3 header into COW_V3_LEN bytes at @buf */
void cow_header_format(const struct cow_header *header, void *buf);

#endif
