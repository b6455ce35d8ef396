#!/bin/busybox sh
# The guest's first process, in its initial RAM disk: root, modules and the host's share, then on to the share's init.
export PATH=/bin
busybox mount -t proc proc /proc # where busybox finds its own name
busybox --install -s /bin
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod "$module" 2>/dev/null; done # one made for another processor may refuse
tries=0
while [ ! -b /dev/vdb ] && [ $tries -lt 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
mount -t ext4 -o noatime /dev/vda /root
mount -t ext4 -o noatime,ro /dev/vdb /root/lib/modules
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=none host /root/mnt
mount --move /dev /root/dev
umount /proc /sys
exec switch_root /root /mnt/init
