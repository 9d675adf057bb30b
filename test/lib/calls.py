# SPDX-License-Identifier: Apache-2.0
"""Makes the Nth call of a server that changes or reads a file fail, or the last of its process.

    calls = Calls(folder, compile_shim(folder, "fail_call"))
    with Site(folder, config, **calls.loaded) as site:
        calls.arm(3, KILL, CHANGES)
        ...
        assert calls.happened()
"""
import mmap
import pathlib
import struct

WRITE, SYNC, RENAME, MAKE, REMOVE, READ = 1, 2, 4, 8, 16, 32
CHANGES = WRITE | SYNC | RENAME | MAKE | REMOVE
KILL, SHORT = 1000, 1001
FIELDS = struct.Struct("5i")


class Calls:
    def __init__(self, folder, shim):
        path = pathlib.Path(folder) / "calls"
        path.write_bytes(bytes(FIELDS.size))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), FIELDS.size)
        self.loaded = {"preload": shim, "environment": {"FAIL_CALL": str(path)}}

    def arm(self, n, action, kinds=CHANGES, more=0):
        """The nth call of these kinds from now on has it happen; and `more` after it, -1: all."""
        self.disarm()
        self.map[:] = FIELDS.pack(kinds, n, action, more, 0)

    def disarm(self):
        self.map[:] = bytes(FIELDS.size)

    def seen(self):
        return FIELDS.unpack(self.map[:])[4]

    def happened(self, n):
        """Were there n calls, so that it came to the one that was meant?"""
        return self.seen() >= n
