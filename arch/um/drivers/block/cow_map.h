/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bitmap of a COW file in memory: which sectors the file has. Host half
 * and tools.
 */
#ifndef __UM_COW_MAP_H
#define __UM_COW_MAP_H

#include <pthread.h>
#include <stdint.h>

#include "cow_header.h"

/**
 * struct cow_map - a cached bitmap
 * @words: the bits; set bits are never cleared
 * @touched: one bit per MAP_BLOCK bytes of @words that the file has not yet
 * @size: bytes that @words takes
 * @blocks: how many blocks it has
 * @sectors: how many bits count
 * @used: words up to the last that has a bit that counts
 * @lock: held while bits are set, and while blocks are taken for writing
 * @added: counts the calls that set bits
 */
struct cow_map {
	uint64_t *words;
	uint64_t *touched;
	uint64_t size;
	uint64_t blocks;
	uint64_t sectors;
	uint64_t used;
	pthread_mutex_t lock;
	uint64_t added;
};

/** COW_MAP_BLOCK - bytes of the bitmap that are written as one: a host sector */
#define COW_MAP_BLOCK	512

/**
 * cow_map_load() - read the bitmap of a file
 * @map: filled in
 * @fd: the COW file
 * @header: what its header says
 *
 * Holes of the file cost neither time nor memory. Returns 0 or a negative
 * errno.
 */
int cow_map_load(struct cow_map *map, int fd, const struct cow_header *header);

/** cow_map_free() - forget it */
void cow_map_free(struct cow_map *map);

/**
 * cow_map_run() - how far does the same file have the sectors?
 * @map: the bitmap
 * @sector: the first
 * @count: at least 1: look no further
 * @present: set to 1 if the COW file has them, else 0
 *
 * Returns the number of sectors from @sector on that are alike. Never waits.
 */
uint64_t cow_map_run(const struct cow_map *map, uint64_t sector, uint64_t count, int *present);

/**
 * cow_map_add() - the COW file has these sectors now
 * @map: the bitmap
 * @sector: the first
 * @count: how many
 *
 * To be called when the data have been written. Returns 1 if the file's bitmap
 * is behind now, 0 if it knew all of them.
 */
int cow_map_add(struct cow_map *map, uint64_t sector, uint64_t count);

/** cow_map_count() - number of sectors that the COW file has */
uint64_t cow_map_count(const struct cow_map *map);

/** cow_map_last() - number of the last sector that the COW file has, plus 1; 0: none */
uint64_t cow_map_last(const struct cow_map *map);

/** cow_map_added() - changes with each cow_map_add() that returns 1 */
uint64_t cow_map_added(const struct cow_map *map);

/**
 * struct cow_map_range - a piece of the bitmap that was taken for writing
 * @offset: byte in the bitmap
 * @len: bytes
 */
struct cow_map_range {
	uint64_t offset;
	uint64_t len;
};

/**
 * cow_map_take() - copy touched blocks, to be written to the file
 * @map: the bitmap
 * @block: where to begin looking; set to where to go on
 * @buf: room for @max blocks
 * @ranges: room for @max ranges, whose bytes follow each other in @buf
 * @max: number of blocks
 *
 * What is taken counts as written; cow_map_put_back() takes that back. The
 * copy has every bit that was set before, and none that is set later.
 * Returns the number of ranges, 0 at the end of the bitmap.
 */
int cow_map_take(struct cow_map *map, uint64_t *block, void *buf,
		 struct cow_map_range *ranges, int max);

/** cow_map_put_back() - a range that was taken could not be written */
void cow_map_put_back(struct cow_map *map, const struct cow_map_range *range);

#endif
