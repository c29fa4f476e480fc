// SPDX-License-Identifier: GPL-2.0
/*
 * The block device: host files as disks /dev/ubda to /dev/ubdp.
 *
 * Each disk of the command line is a platform device uml-blkdev.<n>. Its
 * requests are ubd_queue.c's.
 */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/hdreg.h>
#include <linux/init.h>
#include <linux/major.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include "ubd.h"

#define UBD_NAME		"uml-blkdev"
#define UBD_MINORS		16

static int ubd_getgeo(struct block_device *bdev, struct hd_geometry *geo)
{
	geo->heads = 128;
	geo->sectors = 32;
	geo->cylinders = get_capacity(bdev->bd_disk) / (128 * 32);
	return 0;
}

/*
 * Users know the disks also as /dev/ubd0 and /dev/ubd/0. udev makes, and
 * systemd waits for, the links that the event names.
 */
static int ubd_uevent(const struct device *dev, struct kobj_uevent_env *env)
{
	struct block_device *bdev = dev_to_bdev(dev);
	struct ubd *ubd = bdev->bd_disk->private_data;

	if (bdev_is_partition(bdev))
		return add_uevent_var(env, "DEVLINKS=/dev/ubd%dp%d /dev/ubd/%dp%d",
				      ubd->nr, bdev_partno(bdev), ubd->nr, bdev_partno(bdev));
	return add_uevent_var(env, "DEVLINKS=/dev/ubd%d /dev/ubd/%d", ubd->nr, ubd->nr);
}

static const struct block_device_operations ubd_fops = {
	.owner = THIS_MODULE,
	.getgeo = ubd_getgeo,
	.uevent = ubd_uevent,
};

/* The same names where there is no udev. */
static void ubd_make_links(struct ubd *ubd)
{
	char name[16], target[DISK_NAME_LEN + 4];

	snprintf(name, sizeof(name), "ubd%d", ubd->nr);
	devtmpfs_create_symlink(name, ubd->disk->disk_name);
	snprintf(name, sizeof(name), "ubd/%d", ubd->nr);
	snprintf(target, sizeof(target), "../%s", ubd->disk->disk_name);
	devtmpfs_create_symlink(name, target);
}

static ssize_t serial_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct ubd *ubd = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%s\n", ubd->info.serial);
}
static DEVICE_ATTR_RO(serial);

static struct attribute *ubd_attrs[] = {
	&dev_attr_serial.attr,
	NULL,
};
ATTRIBUTE_GROUPS(ubd);

static void report_open_error(struct ubd *ubd, int err, const char *why)
{
	const char *file = ubd->info.file;
	char name = 'a' + ubd->nr;

	if (err == -EAGAIN && ubd->info.size)
		pr_err("ubd%c: F_SETLK failed, file already locked by pid %llu\n",
		       name, ubd->info.size);
	if (err == -EAGAIN)
		pr_err("ubd%c: Failed to lock '%s', err = %d: another machine uses it (ubd%dc= shares it)\n",
		       name, file, -err, ubd->nr);
	else if (err == -EMEDIUMTYPE)
		pr_err("ubd%c: \"%s\": %s (ubd%dd= takes it as plain data)\n",
		       name, file, why, ubd->nr);
	else
		pr_err("ubd%c: Can't open \"%s\": errno = %d (%s)\n", name, file, -err, why);
}

static int ubd_open(struct ubd *ubd)
{
	bool wanted_ro = ubd->info.flags & HOST_UBD_READ_ONLY;
	const char *why = "";
	int err;

	if (IS_ENABLED(CONFIG_BLK_DEV_UBD_SYNC))
		ubd->info.flags |= HOST_UBD_SYNC;
	err = host_ubd_open(ubd->nr, &ubd->info, &ubd->host, &why);
	if (err) {
		report_open_error(ubd, err, why);
		return err;
	}
	if (ubd->info.flags & HOST_UBD_SHARED)
		pr_info("ubd%c: Not locking \"%s\" on the host\n", 'a' + ubd->nr, ubd->info.file);
	if (!wanted_ro && (ubd->info.flags & HOST_UBD_READ_ONLY))
		pr_notice("ubd%c: \"%s\" can't be written; the disk is read-only\n",
			  'a' + ubd->nr, ubd->info.file);
	return 0;
}

static int ubd_add_disk(struct ubd *ubd, struct device *parent)
{
	struct queue_limits lim = { };
	struct gendisk *disk;
	int err;

	ubd_init_tags(ubd);
	err = blk_mq_alloc_tag_set(&ubd->tags);
	if (err)
		return err;

	ubd_limits(ubd, &lim);
	disk = blk_mq_alloc_disk(&ubd->tags, &lim, ubd);
	if (IS_ERR(disk)) {
		err = PTR_ERR(disk);
		goto free_tags;
	}
	ubd->disk = disk;
	disk->major = UBD_MAJOR;
	disk->first_minor = ubd->nr * UBD_MINORS;
	disk->minors = UBD_MINORS;
	disk->fops = &ubd_fops;
	disk->private_data = ubd;
	snprintf(disk->disk_name, sizeof(disk->disk_name), "ubd%c", 'a' + ubd->nr);
	set_capacity(disk, round_up(ubd->info.size, lim.logical_block_size) >> SECTOR_SHIFT);
	set_disk_ro(disk, ubd->info.flags & HOST_UBD_READ_ONLY);

	err = device_add_disk(parent, disk, ubd_groups);
	if (err)
		goto put_disk;
	return 0;

put_disk:
	put_disk(disk);
free_tags:
	blk_mq_free_tag_set(&ubd->tags);
	return err;
}

static int ubd_probe(struct platform_device *pdev)
{
	struct ubd *ubd = devm_kzalloc(&pdev->dev, sizeof(*ubd), GFP_KERNEL);
	int err;

	if (!ubd)
		return -ENOMEM;
	ubd->nr = pdev->id;
	host_ubd_configured(ubd->nr, &ubd->info);

	err = ubd_open(ubd);
	if (err)
		goto fail;
	err = ubd_add_disk(ubd, &pdev->dev);
	if (err)
		goto close;
	ubd_make_links(ubd);
	platform_set_drvdata(pdev, ubd);
	return 0;

close:
	host_ubd_close(ubd->host);
fail:
	pr_err("Failed to initialize ubd device %d: %pe\n", ubd->nr, ERR_PTR(err));
	/* Said already; the machine goes on without the disk. */
	return -ENODEV;
}

static struct platform_driver ubd_driver = {
	.probe = ubd_probe,
	.driver = {
		.name = UBD_NAME,
		.suppress_bind_attrs = true,
	},
};

static int __init ubd_init(void)
{
	struct host_ubd_info info;
	struct platform_device *pdev;
	int err, i;

	err = ubd_queue_init();
	if (!err)
		err = register_blkdev(UBD_MAJOR, "ubd");
	if (err)
		return err;
	err = platform_driver_register(&ubd_driver);
	if (err) {
		unregister_blkdev(UBD_MAJOR, "ubd");
		return err;
	}
	for (i = 0; i < HOST_UBD_MAX; i++) {
		if (!host_ubd_configured(i, &info))
			continue;
		pdev = platform_device_register_simple(UBD_NAME, i, NULL, 0);
		if (IS_ERR(pdev))
			pr_err("Failed to initialize ubd device %d: %pe\n", i, pdev);
	}
	return 0;
}
device_initcall(ubd_init);
