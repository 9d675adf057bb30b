# SPDX-License-Identifier: Apache-2.0
"""A virtual machine whose power can be cut: QEMU, Debian's kernel, and a disk that keeps what the
kernel has written to it and nothing else. The program is in its initial file system; its folder and
its state are on the disk; its port 80 is a port of this machine.

    machine = Machine(folder)        # skips the test where something is missing
    with machine:
        ...                          # http://127.0.0.1:{machine.port}/
        machine.cut()
"""
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from dav import Dav
from earnest_server import PROGRAM, SOURCES, free_port

QEMU, BUSYBOX = "qemu-system-x86_64", pathlib.Path("/bin/busybox")
BOOT_S, DISK_BYTES = 60, 64 << 20
MODULES = ["virtio_pci", "virtio_blk", "virtio_net", "crc32c_generic", "ext4"]
INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /disk
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do
    /bin/busybox insmod /modules/$module.ko
done
/bin/busybox ifconfig lo 127.0.0.1
/bin/busybox ifconfig eth0 10.0.2.15
/bin/busybox mount -t ext4 /dev/vda /disk
exec /bin/earnest serve -c /earnest.conf
"""
CONFIG = """listen ":80" {}
workers = 1
state = "/disk/state"
route "/" { files = "/disk/root" write = true tombstones = "1d" }
"""


def kernel():
    """The kernel and the folder of its modules: those of ./dev exam, or of this machine."""
    for place in (SOURCES / "build/kernel", pathlib.Path("/")):
        for image in sorted(place.glob("boot/vmlinuz-*"), reverse=True):
            modules = place / "lib/modules" / image.name.removeprefix("vmlinuz-")
            if any(modules.rglob("ext4.ko")):
                return image, modules
    pytest.skip("no kernel of Debian: ./dev exam fetches one")


def with_needed(names, found):
    """The modules and what they depend on, in an order in which they can be loaded."""
    order = []
    for name in names:
        depends = re.search(rb"depends=([^\0]*)\0", found[name].read_bytes())[1].decode()
        for other in [*with_needed([d for d in depends.split(",") if d], found), name]:
            if other not in order:
                order.append(other)
    return order


def archive(files):
    """An initial file system (cpio, format newc) of {name: content}; folders are made."""
    out = bytearray()

    def add(name, mode, content, n):
        fields = (n, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        out.extend(b"070701" + b"".join(b"%08x" % field for field in fields))
        out.extend(name.encode() + b"\0")
        out.extend(bytes(-len(out) % 4) + content)
        out.extend(bytes(-len(out) % 4))

    folders = {str(parent) for name in files for parent in pathlib.PurePath(name).parents}
    for n, name in enumerate(sorted(folders - {"."})):
        add(name, 0o40755, b"", n)
    for n, (name, content) in enumerate(files.items()):
        add(name, 0o100755, content, 1000 + n)
    add("TRAILER!!!", 0, b"", 0)
    return bytes(out)


def libraries(program):
    """None of a static program."""
    done = subprocess.run(["ldd", program], check=False, capture_output=True, text=True)
    return re.findall(r"(/\S+) \(0x", done.stdout)


class Machine:
    """seed is a folder whose content the disk begins with: root/ and state/."""

    def __init__(self, folder, seed):
        for tool in (QEMU, "mkfs.ext4", "e2fsck", "debugfs"):
            if not shutil.which(tool):
                pytest.skip(f"{tool} is not installed")
        if not BUSYBOX.exists() or libraries(BUSYBOX):
            pytest.skip("busybox is not there, or not static (Debian package busybox-static)")
        self.folder = pathlib.Path(folder)
        self.image, modules = kernel()
        self.disk, self.port, self.process = self.folder / "disk", free_port(), None
        found = {path.stem: path for path in modules.rglob("*.ko")}
        names = with_needed(MODULES, found)
        files = {"init": INIT.format(modules=" ".join(names)).encode(),
                 "earnest.conf": CONFIG.encode(), "bin/busybox": BUSYBOX.read_bytes(),
                 "bin/earnest": pathlib.Path(PROGRAM).read_bytes()}
        files.update({f"modules/{name}.ko": found[name].read_bytes() for name in names})
        files.update({path[1:]: pathlib.Path(path).read_bytes() for path in libraries(PROGRAM)})
        (self.folder / "initrd").write_bytes(archive(files))
        with open(self.disk, "wb") as disk:
            disk.truncate(DISK_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-d", seed, self.disk], check=True)

    def __enter__(self):
        console = self.folder / "console"
        self.process = subprocess.Popen([
            QEMU, "-accel", "tcg", "-cpu", "max", "-m", "256", "-nodefaults", "-display", "none",
            "-no-reboot", "-kernel", self.image, "-initrd", self.folder / "initrd",
            "-append", "console=ttyS0 quiet panic=-1 rdinit=/init", "-serial", f"file:{console}",
            "-drive", f"file={self.disk},format=raw,if=virtio,cache=none",
            "-netdev", f"user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-10.0.2.15:80",
            "-device", "virtio-net-pci,netdev=n,romfile="], stdin=subprocess.DEVNULL)
        end = time.monotonic() + BOOT_S
        while not self.answers():
            text = console.read_text(errors="replace") if console.exists() else ""
            assert self.process.poll() is None and time.monotonic() < end, f"no answer:\n{text}"
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.cut()

    def answers(self):
        try:
            with Dav(self.port) as dav:
                return dav("OPTIONS", "/").status == 204
        except (OSError, AssertionError):
            return False

    def cut(self):
        self.process.kill()
        self.process.wait()

    def look(self, place):
        """What is on the disk, as files beneath place; the power is off."""
        done = subprocess.run(["e2fsck", "-fy", self.disk], check=False, capture_output=True)
        assert done.returncode in (0, 1), done.stdout.decode()  # 1: its journal was played back
        subprocess.run(["debugfs", "-R", f"rdump / {place}", self.disk], check=True,
                       capture_output=True)
