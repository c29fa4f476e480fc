/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __UM_SIGNAL_H
#define __UM_SIGNAL_H

struct ksignal;
struct pt_regs;

/* The components that every XSAVE image of the ABI has: x87 and SSE. */
#define XFEATURE_MASK_LEGACY	3ULL

/**
 * setup_rt_frame() - make current's next instruction the handler's first
 * @ksig: signal and action
 * @regs: registers of the interrupted code; changed on success
 *
 * The extended state is saved to the frame but left as it is. Returns 0, or
 * -EFAULT when there is no room for the frame or the action has no restorer.
 */
int setup_rt_frame(struct ksignal *ksig, struct pt_regs *regs);

#endif
