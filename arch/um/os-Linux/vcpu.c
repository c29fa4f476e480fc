// SPDX-License-Identifier: GPL-2.0
/* The boot vCPU: the main thread, its gs base, and how it sleeps. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <asm/prctl.h>
#include "internal.h"

struct vcpu host_boot_vcpu;
void (*host_idle_sleep)(struct vcpu *vcpu);

int host_vcpu_init(void)
{
	struct vcpu *vcpu = &host_boot_vcpu;

	vcpu->self = vcpu;
	vcpu->host_tid = syscall(SYS_gettid);
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, vcpu)) {
		host_warn("can't set the gs base: %s", strerror(errno));
		return -1;
	}
	return 0;
}

/*
 * Signals end the sleep: host_vcpu_raise() sends one after it set the bit, and
 * host_syscall_pending() misses none. pause() needs no descriptor and no
 * time-out, so an idle machine costs nothing.
 */
void host_vcpu_idle(struct vcpu *vcpu)
{
	if (host_idle_sleep)
		host_idle_sleep(vcpu);
	else
		host_syscall_pending(vcpu, SYS_pause, 0, 0, 0, 0, 0, 0);
}
