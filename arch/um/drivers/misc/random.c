// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/hwrng from the host's random source. What the kernel's own generator
 * starts with is mixed in earlier, by setup_arch().
 */
#include <linux/hw_random.h>
#include <linux/module.h>
#include <host/process.h>

static int um_rng_read(struct hwrng *rng, void *buf, size_t len, bool wait)
{
	return host_random(buf, len);
}

static struct hwrng um_rng = {
	.name = "hw_random",
	.read = um_rng_read,
	.quality = 1024,
};

static int __init um_rng_init(void)
{
	return hwrng_register(&um_rng);
}
module_init(um_rng_init);

static void __exit um_rng_exit(void)
{
	hwrng_unregister(&um_rng);
}
module_exit(um_rng_exit);

MODULE_DESCRIPTION("Random numbers of the User Mode Linux host");
MODULE_LICENSE("GPL");
