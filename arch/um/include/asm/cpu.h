/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ASM_UM_CPU_H
#define __ASM_UM_CPU_H

#endif
