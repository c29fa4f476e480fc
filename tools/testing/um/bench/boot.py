# SPDX-License-Identifier: GPL-2.0
"""The part of make bench about booting: from exec to the first program, of several
boots, with little and with much memory; and what a small guest takes of the host's.
"""

import time

from harness import hostproc
from harness.guest import Died, Guest, Hang

SIZES = {'boot': '256M', 'boot_16g': '16G'}
PAGE_ARRAY = (256 << 20) // 4096 * 64


def _time(kernel, image, memory, args):
    """One boot, in nanoseconds, by a root that only powers off."""
    with Guest(f'ubd0r={image}', f'mem={memory}', 'init=/tests/ready', *args, kernel=kernel,
               raw=True, name='bench-boot') as guest:
        guest.expect('UM-TEST-READY')
        took = (time.monotonic() - guest.started) * 1e9
        guest.wait_exit()
    return took


def _memory(kernel, image, args):
    with Guest(f'ubd0r={image}', 'mem=256M', *args, kernel=kernel, raw=True,
               name='bench-boot') as guest:
        guest.boot()
        used = hostproc.pss(guest.host_processes()) - PAGE_ARRAY
        guest.poweroff()
    return used


def measure(options, kernels, image, results_of):
    """Names of the subjects, results, and bytes of host memory by subject."""
    results, memory = results_of(), {}
    for _ in range(options.boots):
        for bench, size in SIZES.items():
            for name, kernel, args in kernels:
                try:
                    results.add(name, bench, _time(kernel, image, size, args))
                except (Died, Hang):	# a peer that can't have so much
                    continue
    for name, kernel, args in kernels:
        memory[name] = _memory(kernel, image, args)
    return [name for name, _, _ in kernels], results, memory
