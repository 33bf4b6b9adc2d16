"""Runs a command on Debian's stock kernel in QEMU, with this machine's files, where ours lacks SCTP.

The guest sees the whole file system read-only over 9p and has its own /run. The kernel comes from an unpacked
package linux-image-*: in the folder that CEIR_GUEST_KERNEL names, in /var/cache/ceir/guest-kernel (where
tools/peers.sh puts it), or in /.
"""

import gzip
import lzma
import os
import platform
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_FOLDERS = ("/var/cache/ceir/guest-kernel", "/")
_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "sctp")
_END = "GUEST-EXIT"

MOUNT_HOST = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
while read module; do insmod "/modules/$module"; done < /modules/order
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose root /host
"""
"""How an `init` begins: busybox's commands are there, and this machine's files lie at /host."""

_INIT = f"""{MOUNT_HOST}
for one in proc sysfs devtmpfs; do
  at=$one; [ $one = sysfs ] && at=sys; [ $one = devtmpfs ] && at=dev
  mount -t $one $one /host/$at
done
mount -t tmpfs tmpfs /host/run
ip link set lo up
chroot /host /bin/sh -c "$(cat /command)"
echo "{_END} $?"
poweroff -f
"""


def why_not() -> str | None:
    """What is missing on this machine to run a guest; None: nothing."""
    if platform.machine() != "x86_64":
        return "the platform's processor is not x86_64, and the guest runs the programs that are here"
    for program in ("qemu-system-x86_64", "busybox"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if b"/ld-linux" in Path(shutil.which("busybox") or "").read_bytes():
        return "busybox is not the static one (Debian: busybox-static)"
    return None if _kernel() else "no unpacked kernel package for a guest (tools/peers.sh)"


def run(
    command: list[str], environment: dict[str, str], timeout: float, folder: Path | None = None
) -> tuple[int, str]:
    """Exit code and output of a command in the guest; results can come out only as output.

    Args:
        timeout: seconds for all of it; booting takes about six of them, or more on a loaded machine.
        folder: where the command runs; None: where we are.

    Raises:
        AssertionError: the guest did not come to the end of the command.
    """
    words = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
    line = f"cd {shlex.quote(str(folder or Path.cwd()))} && {words} {shlex.join(command)} 2>&1"
    output = boot({"init": _INIT, "command": line}, _MODULES, timeout)
    ended = re.search(rf"{_END} (\d+)", output)
    assert ended, f"the guest did not finish:\n{output[-3000:]}"
    return int(ended[1]), output[: ended.start()]


def boot(files: Mapping[str, str], modules: Sequence[str], timeout: float, words: str = "") -> str:
    """What a guest wrote to its console until it was powered off.

    Args:
        files: of its first file system, by name; `init` is its first process, which may begin with
            `MOUNT_HOST`.
        modules: of the kernel, loaded by `MOUNT_HOST`.
        timeout: seconds for all of it.
        words: more for the kernel's command line.

    Raises:
        AssertionError: it took longer.
    """
    found = _kernel()
    assert found is not None
    image, all_modules = found
    with tempfile.TemporaryDirectory(prefix="guest-") as made:
        initrd = Path(made, "initrd")
        initrd.write_bytes(gzip.compress(b"".join(_initrd(_ordered(all_modules, modules), files)), 1))
        qemu = [
            *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "1024", "-nographic"),
            *("-no-reboot", "-net", "none", "-kernel", str(image), "-initrd", str(initrd)),
            *("-append", f"console=ttyS0 quiet panic=-1 {words}"),
            *("-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"),
            *("-device", "virtio-9p-pci,fsdev=root,mount_tag=root"),
        ]
        try:
            done = subprocess.run(
                qemu, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired as late:
            console = (late.output or b"").decode(errors="replace")
            raise AssertionError(f"the guest took over {timeout} s:\n{console[-3000:]}") from late
    return done.stdout.decode(errors="replace").replace("\r\n", "\n")


def _kernel() -> tuple[Path, Path] | None:
    for folder in (os.environ.get("CEIR_GUEST_KERNEL"), *_FOLDERS):
        if folder is None:
            continue
        for image in sorted(Path(folder, "boot").glob("vmlinuz-*"), reverse=True):
            modules = Path(folder, "lib/modules", image.name.removeprefix("vmlinuz-"))
            if any(modules.glob("kernel/net/sctp/sctp.ko*")):
                return image, modules
    return None


def _ordered(modules: Path, names: Sequence[str]) -> list[Path]:
    """The modules needed, each after those it depends on."""
    files = {file.name.split(".")[0].replace("-", "_"): file for file in modules.rglob("*.ko*")}
    order: list[Path] = []

    def need(name: str) -> None:
        file = files.get(name)
        if file is None or file in order:
            return
        found = re.search(rb"\0depends=([^\0]*)\0", b"\0" + _octets(file))
        for other in found[1].decode().split(",") if found else ():
            need(other.replace("-", "_"))
        order.append(file)

    # SCTP asks for its checksum by name and not by symbol, so it is no dependency that modules tell of.
    for name in ("crc32c_generic", "crc32c_intel", *names):
        need(name)
    return order


def _initrd(order: list[Path], files: Mapping[str, str]) -> Iterator[bytes]:
    busybox = shutil.which("busybox")
    assert busybox is not None
    for folder in ("bin", "proc", "dev", "host", "modules"):
        yield _entry(folder, 0o040755, b"")
    yield _entry("bin/busybox", 0o100755, Path(busybox).read_bytes())
    for name, text in files.items():
        yield _entry(name, 0o100755, text.encode())
    yield _entry("modules/order", 0o100644, "".join(f"{file.name}\n" for file in order).encode())
    for file in order:
        yield _entry(f"modules/{file.name}", 0o100644, _octets(file))
    yield _entry("TRAILER!!!", 0, b"")


def _octets(module: Path) -> bytes:
    """A module as insmod takes it: since Debian 13 they are packed."""
    data = module.read_bytes()
    return lzma.decompress(data) if module.suffix == ".xz" else data


def _entry(name: str, mode: int, data: bytes) -> bytes:
    """One member of a cpio archive of the form «newc»."""
    numbers = (1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % number for number in numbers) + name.encode() + b"\0"
    return head + bytes(-len(head) & 3) + data + bytes(-len(data) & 3)
