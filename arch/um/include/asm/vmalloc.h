/* SPDX-License-Identifier: GPL-2.0 */
/* Huge mappings in the vmalloc area are not made. */
#ifndef __ASM_UM_VMALLOC_H
#define __ASM_UM_VMALLOC_H
#endif
