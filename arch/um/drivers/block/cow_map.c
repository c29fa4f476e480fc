// SPDX-License-Identifier: GPL-2.0
/*
 * The bitmap of a COW file in memory (cow_map.h).
 *
 * All of it is mapped, but only what has bits takes memory: the mapping is
 * filled from the parts of the file that are no holes. Readers look without a
 * lock, since bits are only ever set. Setting takes the lock, but only for
 * sectors that are new.
 *
 * A block of the bitmap that got bits is touched until it is taken for
 * writing. Taking copies it under the lock, so the copy holds exactly the
 * sectors that had been written before: whoever syncs the data between taking
 * and writing the copy can't publish a bit without its data.
 *
 * Bit n is bit n % 8 of byte n / 8, so words are the same on a little-endian
 * machine.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cow_map.h"
#include "../../os-Linux/disk_file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bits of words are bits of bytes");

#define BITS		64
#define BLOCK_WORDS	(COW_MAP_BLOCK / 8)
#define LOAD_PIECE	65536

static uint64_t load_word(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* Anonymous memory: the host provides what is written to. */
static void *reserve(uint64_t size)
{
	void *p;

	if (size > INT64_MAX / 2) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p;
}

/* The bits of a word that count. */
static uint64_t valid_word(const struct cow_map *map, uint64_t i)
{
	uint64_t word = load_word(&map->words[i]);

	if (i * BITS >= map->sectors)
		return 0;
	return (i + 1) * BITS > map->sectors ? word & ~(~0ULL << (map->sectors % BITS)) : word;
}

/* Bytes @from to @end have been loaded, in this order. */
static void note_used(struct cow_map *map, uint64_t from, uint64_t end)
{
	uint64_t i;

	for (i = (end + 7) / 8; i-- > from / 8;) {
		if (valid_word(map, i)) {
			map->used = i + 1;
			return;
		}
	}
}

/* Copy what is not zero: reading zeroes from the mapping costs no memory. */
static int load_piece(struct cow_map *map, uint64_t at, int fd, uint64_t offset, uint64_t len,
		      char *buf)
{
	static const char zeroes[4096];
	uint64_t i, n;
	int64_t got;

	got = disk_file_read(fd, buf, len, offset);
	if (got < 0)
		return got;
	for (i = 0; i < (uint64_t)got; i += n) {
		n = (uint64_t)got - i < sizeof(zeroes) ? (uint64_t)got - i : sizeof(zeroes);
		if (!memcmp(buf + i, zeroes, n))
			continue;
		memcpy((char *)map->words + at + i, buf + i, n);
		note_used(map, at + i, at + i + n);
	}
	return 0;
}

static int load(struct cow_map *map, int fd, const struct cow_header *header, char *buf)
{
	uint64_t end = header->bitmap_offset + header->bitmap_len;
	uint64_t at = header->bitmap_offset, len;
	off_t data;
	int err;

	while (at < end) {
		data = lseek(fd, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		if (data > 0 && (uint64_t)data > at)
			at = data;
		if (at >= end)
			break;
		len = end - at < LOAD_PIECE ? end - at : LOAD_PIECE;
		err = load_piece(map, at - header->bitmap_offset, fd, at, len, buf);
		if (err)
			return err;
		at += len;
	}
	return 0;
}

int cow_map_load(struct cow_map *map, int fd, const struct cow_header *header)
{
	uint64_t touched_size;
	int err = -ENOMEM;
	char *buf;

	memset(map, 0, sizeof(*map));
	pthread_mutex_init(&map->lock, NULL);
	map->sectors = header->tracked;
	map->blocks = header->bitmap_len / COW_MAP_BLOCK + !!(header->bitmap_len % COW_MAP_BLOCK);
	/* A disk of less than eight sectors in an old version has no bitmap. */
	map->blocks += !map->blocks;
	map->size = map->blocks * COW_MAP_BLOCK;
	touched_size = (map->blocks / BITS + 1) * 8;

	map->words = reserve(map->size);
	if (map->words == MAP_FAILED)
		return -errno;
	map->touched = reserve(touched_size);
	if (map->touched == MAP_FAILED) {
		err = -errno;
		munmap(map->words, map->size);
		return err;
	}
	buf = malloc(LOAD_PIECE);
	if (buf)
		err = load(map, fd, header, buf);
	free(buf);
	if (err)
		cow_map_free(map);
	return err;
}

void cow_map_free(struct cow_map *map)
{
	munmap(map->words, map->size);
	munmap(map->touched, (map->blocks / BITS + 1) * 8);
	pthread_mutex_destroy(&map->lock);
}

/* Bits from bit @sector % 64 on, @count at most. */
static uint64_t mask(uint64_t sector, uint64_t count)
{
	uint64_t m = ~0ULL << (sector % BITS);
	uint64_t last = sector % BITS + count;

	return last < BITS ? m & ~(~0ULL << last) : m;
}

uint64_t cow_map_run(const struct cow_map *map, uint64_t sector, uint64_t count, int *present)
{
	uint64_t start = sector, end = sector + count, word, n;

	if (sector >= map->sectors) {
		*present = 0;
		return count;
	}
	word = load_word(&map->words[sector / BITS]) >> (sector % BITS);
	*present = word & 1;
	/* Sectors behind the last bit are none of the file's. */
	if (*present && end > map->sectors)
		end = map->sectors;
	while (sector < end && sector < map->sectors) {
		word = load_word(&map->words[sector / BITS]);
		if (*present)
			word = ~word;
		word &= ~0ULL << (sector % BITS);
		if (word) {
			n = (sector & ~(uint64_t)(BITS - 1)) + __builtin_ctzll(word);
			/* A bit behind the last sector means nothing. */
			sector = n < map->sectors || *present ? n : end;
			break;
		}
		sector = (sector & ~(uint64_t)(BITS - 1)) + BITS;
	}
	if (sector >= map->sectors && !*present)
		sector = end;
	return (sector < end ? sector : end) - start;
}

int cow_map_add(struct cow_map *map, uint64_t sector, uint64_t count)
{
	uint64_t end = sector + count, block, n, new;
	int present, any = 0;

	if (cow_map_run(map, sector, count, &present) == count && present)
		return 0;

	pthread_mutex_lock(&map->lock);
	for (; sector < end && sector < map->sectors; sector += n) {
		uint64_t *word = &map->words[sector / BITS];

		n = BITS - sector % BITS;
		new = mask(sector, end - sector) & ~*word;
		if (!new)
			continue;
		__atomic_store_n(word, *word | new, __ATOMIC_RELEASE);
		if (map->used <= sector / BITS)
			map->used = sector / BITS + 1;
		block = sector / BITS / BLOCK_WORDS;
		map->touched[block / BITS] |= 1ULL << (block % BITS);
		any = 1;
	}
	if (any)
		__atomic_store_n(&map->added, map->added + 1, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&map->lock);
	return any;
}

uint64_t cow_map_count(const struct cow_map *map)
{
	uint64_t i, n = 0;

	for (i = 0; i < map->used; i++)
		n += __builtin_popcountll(valid_word(map, i));
	return n;
}

uint64_t cow_map_last(const struct cow_map *map)
{
	uint64_t i = map->used;

	return i ? i * BITS - __builtin_clzll(valid_word(map, i - 1)) : 0;
}

uint64_t cow_map_added(const struct cow_map *map)
{
	return __atomic_load_n(&map->added, __ATOMIC_ACQUIRE);
}

/* The first touched block from @block on, or map->blocks. */
static uint64_t next_touched(const struct cow_map *map, uint64_t block)
{
	uint64_t word;

	while (block < map->blocks) {
		word = map->touched[block / BITS] & (~0ULL << (block % BITS));
		if (word)
			return (block & ~(uint64_t)(BITS - 1)) + __builtin_ctzll(word);
		block = (block & ~(uint64_t)(BITS - 1)) + BITS;
	}
	return map->blocks;
}

int cow_map_take(struct cow_map *map, uint64_t *block, void *buf,
		 struct cow_map_range *ranges, int max)
{
	char *to = buf;
	int n = 0, taken;

	pthread_mutex_lock(&map->lock);
	for (taken = 0; taken < max; taken++) {
		uint64_t at = next_touched(map, *block);

		*block = at;
		if (at == map->blocks)
			break;
		map->touched[at / BITS] &= ~(1ULL << (at % BITS));
		memcpy(to + taken * COW_MAP_BLOCK, (char *)map->words + at * COW_MAP_BLOCK,
		       COW_MAP_BLOCK);
		if (n && ranges[n - 1].offset + ranges[n - 1].len == at * COW_MAP_BLOCK) {
			ranges[n - 1].len += COW_MAP_BLOCK;
		} else {
			ranges[n].offset = at * COW_MAP_BLOCK;
			ranges[n].len = COW_MAP_BLOCK;
			n++;
		}
		++*block;
	}
	pthread_mutex_unlock(&map->lock);
	return n;
}

void cow_map_put_back(struct cow_map *map, const struct cow_map_range *range)
{
	uint64_t block = range->offset / COW_MAP_BLOCK;
	uint64_t end = block + range->len / COW_MAP_BLOCK;

	pthread_mutex_lock(&map->lock);
	for (; block < end; block++)
		map->touched[block / BITS] |= 1ULL << (block % BITS);
	pthread_mutex_unlock(&map->lock);
}
