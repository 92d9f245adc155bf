"""What is on the disk at the instant of a power cut.

    rig = Rig(folder)           an empty folder
    rig.live                    the server's data goes here
    with rig.cut() as disk:     a mounted clone, as the machine would find it
    rig.close()

An ext4 image lies on an XFS with reflinks: a clone of it costs nothing and is
taken at once.  It is mounted with commit=600, so that what is on it was
synced: the journal writes nothing by itself meanwhile.  Only root, loop
devices, xfsprogs and e2fsprogs are needed.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time


class Missing(Exception):
    """Why this machine cannot do it."""


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True,
                          text=True)
    if done.returncode:
        raise Missing(f"{' '.join(done.args)}: {done.stderr.strip()}")


def mount(image, folder, options="loop"):
    run("mount", "-o", options, image, folder)


def ready():
    if os.geteuid() != 0:
        raise Missing("only root can mount images")
    for tool in ("mkfs.xfs", "mkfs.ext4", "mount"):
        if not shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin:/bin"):
            raise Missing(f"there is no {tool}")
    if not os.path.exists("/dev/loop-control"):
        raise Missing("there are no loop devices")


class Rig:
    def __init__(self, folder, size_mb=640):
        ready()
        self.folder = pathlib.Path(folder)
        self.store, self.live = self.folder / "store", self.folder / "live"
        self.outer = self.folder / "outer.img"
        self.image = self.store / "disk.img"
        self.cuts = 0
        self.mounted = []
        for each in (self.store, self.live):
            each.mkdir()
        try:
            run("truncate", "-s", f"{2 * size_mb + 512}M", self.outer)
            run("mkfs.xfs", "-q", "-f", "-m", "reflink=1", self.outer)
            self.mount(self.outer, self.store)
            run("truncate", "-s", f"{size_mb}M", self.image)
            run("mkfs.ext4", "-q", "-F", self.image)
            self.mount(self.image, self.live, "loop,commit=600")
        except BaseException:
            self.close()
            raise
        self.live.chmod(0o711)

    def mount(self, image, folder, options="loop"):
        mount(image, folder, options)
        self.mounted.append(folder)

    def settle(self):
        """What was written so far is on the disk."""
        run("sync", "-f", self.live)

    def snapshot(self):
        """The disk now, as a file; what is in memory only is not on it."""
        self.cuts += 1
        clone = self.store / f"cut{self.cuts}.img"
        run("cp", "--reflink=always", self.image, clone)
        return clone

    @contextlib.contextmanager
    def look(self, clone):
        """CLONE as the machine finds it after the cut: its journal is
        replayed."""
        seen = self.folder / clone.stem
        seen.mkdir()
        mount(clone, seen)
        try:
            yield seen
        finally:
            run("umount", seen)
            seen.rmdir()

    @contextlib.contextmanager
    def cut(self):
        clone = self.snapshot()
        try:
            with self.look(clone) as disk:
                yield disk
        finally:
            clone.unlink()

    def unmount(self, folder):
        """Whose loop device is let go a moment later."""
        for _ in range(600):
            if subprocess.run(["umount", folder],
                              capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        self.mounted.remove(folder)

    def come_back(self, clone):
        """The machine starts again with CLONE as its disk, at the same
        place.  Nobody may use it any more."""
        self.unmount(self.live)
        self.mount(clone, self.live)

    def close(self):
        for folder in reversed(list(self.mounted)):
            self.unmount(folder)


@contextlib.contextmanager
def rig(size_mb=640):
    folder = tempfile.mkdtemp(prefix="splitmail-disk-")
    os.chmod(folder, 0o711)
    made = None
    try:
        made = Rig(folder, size_mb)
        yield made
    finally:
        if made:
            made.close()
        if not any(os.path.ismount(f"{folder}/{name}")
                   for name in ("live", "store")):
            shutil.rmtree(folder, ignore_errors=True)
