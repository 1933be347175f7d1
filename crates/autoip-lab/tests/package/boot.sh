# Starts systemd on a copy of the system $1, with files that live in memory, for which $2 is an empty
# directory. Runs in namespaces of its own: what is mounted here is nobody else's and goes with them.
set -e
base=$1 work=$2
mount -t tmpfs tmpfs "$work"
mkdir "$work/changes" "$work/workdir" "$work/root"
layers="lowerdir=$base,upperdir=$work/changes,workdir=$work/workdir"
mount -t overlay overlay -o "$layers" "$work/root"
cd "$work/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev
for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
ln -s pts/ptmx dev/ptmx
# systemd is content with either; which one there is the kernel of the machine decides.
mount -t tmpfs tmpfs sys/fs/cgroup
mkdir sys/fs/cgroup/unified sys/fs/cgroup/systemd
if mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd 2>/dev/null; then
    mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
else
    umount sys/fs/cgroup
    mount -t cgroup2 cgroup2 sys/fs/cgroup
fi
pivot_root . mnt
cd /
umount -l /mnt
export container=lab
exec /lib/systemd/systemd --log-target=journal --show-status=no </dev/null >/dev/null 2>&1
