/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest physical memory (one memory file) and the mappings of the kernel
 * process. Errors are negative errno values.
 */
#ifndef __HOST_MEMORY_H
#define __HOST_MEMORY_H

struct host_event;

#define HOST_PROT_READ		1
#define HOST_PROT_WRITE		2
#define HOST_PROT_EXEC		4

/**
 * struct host_memory - what start-up found out, constant afterwards
 * @image_start: first byte of the kernel image, the bottom of physical memory
 * @image_end: end of the image
 * @ram_start: where the memory file is mapped (the linear map)
 * @ram_size: its size in bytes, a multiple of 2 MiB unless mem= said otherwise
 * @asked: what mem= asked for, if that is more than @ram_size; else 0
 * @give_back: free memory is to be given back to the host: free_memory=
 */
struct host_memory {
	unsigned long image_start;
	unsigned long image_end;
	unsigned long ram_start;
	unsigned long ram_size;
	unsigned long asked;
	int give_back;
};

extern struct host_memory host_memory;

/**
 * host_memory_fd() - descriptor of the memory file
 *
 * The file offset of a linear-map address is address - ram_start.
 */
int host_memory_fd(void);

/**
 * host_map_kernel() - map guest memory at a second kernel address
 * @addr: page-aligned address in the vmalloc or module area
 * @len: bytes
 * @offset: offset in the memory file
 * @prot: HOST_PROT_* bits
 *
 * Replaces what was mapped there. Task or interrupt context.
 */
int host_map_kernel(unsigned long addr, unsigned long len, unsigned long offset, int prot);

/** host_unmap_kernel() - make a range of the vmalloc or module area fault */
int host_unmap_kernel(unsigned long addr, unsigned long len);

/** host_protect_kernel() - change the rights of a mapped kernel range */
int host_protect_kernel(unsigned long addr, unsigned long len, int prot);

/**
 * host_memory_populate() - have the host provide a part of guest memory
 * @offset: offset in the memory file
 * @len: bytes
 *
 * What is there already stays as it is. Returns 0, or a negative errno if the
 * host has no room or so little that it would soon end processes. Any context.
 */
int host_memory_populate(unsigned long offset, unsigned long len);

#define HOST_MEMORY_RANGES	32

/** struct host_memory_range - a part of guest memory, in bytes of the memory file */
struct host_memory_range {
	unsigned long offset;
	unsigned long len;
};

/**
 * struct host_memory_release - parts whose backing is given back
 * @event: posted when it is done
 * @nr: number of valid entries of @ranges
 * @error: result: 0 or a negative errno
 * @ranges: the parts
 * @private: the host half's
 */
struct host_memory_release {
	struct host_event *event;
	unsigned int nr;
	int error;
	struct host_memory_range ranges[HOST_MEMORY_RANGES];
	void *private[2];
};

/**
 * host_memory_release() - give the backing of parts of guest memory back
 * @release: stays untouched until its event was posted
 *
 * A host thread does it. Afterwards these parts read as zeroes. Any context.
 */
void host_memory_release(struct host_memory_release *release);

/** host_free_image() - give pages of the image (init sections) back */
void host_free_image(unsigned long addr, unsigned long len);

#endif
