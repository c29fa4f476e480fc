// SPDX-License-Identifier: GPL-2.0
/*
 * A real-time clock that is the host's wall clock. The guest may set it: the
 * difference is remembered until the machine ends, the host's clock stays as
 * it is.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/rtc.h>
#include <host/time.h>

static s64 offset_ns;		/* under the rtc's ops_lock */

static int um_rtc_read_time(struct device *dev, struct rtc_time *tm)
{
	rtc_time64_to_tm(div_s64((s64)host_realtime_ns() + offset_ns, NSEC_PER_SEC), tm);
	return 0;
}

static int um_rtc_set_time(struct device *dev, struct rtc_time *tm)
{
	offset_ns = rtc_tm_to_time64(tm) * NSEC_PER_SEC - (s64)host_realtime_ns();
	return 0;
}

static const struct rtc_class_ops um_rtc_ops = {
	.read_time = um_rtc_read_time,
	.set_time = um_rtc_set_time,
};

static int um_rtc_probe(struct platform_device *pdev)
{
	struct rtc_device *rtc = devm_rtc_allocate_device(&pdev->dev);

	if (IS_ERR(rtc))
		return PTR_ERR(rtc);
	rtc->ops = &um_rtc_ops;
	rtc->range_min = 0;
	rtc->range_max = KTIME_SEC_MAX;
	clear_bit(RTC_FEATURE_ALARM, rtc->features);
	return devm_rtc_register_device(rtc);
}

static struct platform_driver um_rtc_driver = {
	.probe = um_rtc_probe,
	.driver.name = "uml-rtc",
};

static struct platform_device *um_rtc_device;

static int __init um_rtc_init(void)
{
	int err = platform_driver_register(&um_rtc_driver);

	if (err)
		return err;
	um_rtc_device = platform_device_register_simple("uml-rtc", -1, NULL, 0);
	if (IS_ERR(um_rtc_device)) {
		platform_driver_unregister(&um_rtc_driver);
		return PTR_ERR(um_rtc_device);
	}
	return 0;
}
module_init(um_rtc_init);

static void __exit um_rtc_exit(void)
{
	platform_device_unregister(um_rtc_device);
	platform_driver_unregister(&um_rtc_driver);
}
module_exit(um_rtc_exit);

MODULE_DESCRIPTION("Real-time clock of User Mode Linux");
MODULE_LICENSE("GPL");
