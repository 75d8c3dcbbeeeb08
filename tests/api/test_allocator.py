"""Threads of a served process allocate from few arenas, and freed memory is returned to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, re, threading
from ai_memory.api.allocator import limit_arenas

print(limit_arenas())
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.open_memstream.restype = ctypes.c_void_p
libc.open_memstream.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.POINTER(ctypes.c_size_t)]
libc.fclose.argtypes = [ctypes.c_void_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
barrier = threading.Barrier(9)
def work():
    libc.malloc(1 << 16)
    barrier.wait()
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
barrier.wait()
text, size = ctypes.c_char_p(), ctypes.c_size_t()
stream = libc.open_memstream(ctypes.byref(text), ctypes.byref(size))
libc.malloc_info(0, stream)
libc.fclose(stream)
print(len(re.findall(rb"<heap nr", text.value)))
barrier.wait()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_nine_threads_have_two_heaps() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "2"]


HOLES = """
import ctypes, sys, time
from pathlib import Path
from ai_memory.api.allocator import trimming

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]

def resident_mb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS:"))

blocks = [libc.malloc(1 << 16) for _ in range(3000)]
for block in blocks:
    ctypes.memset(block, 1, 1 << 16)
full = resident_mb()
for block in blocks[:-1]:  # the last one stays at the top of the heap, so that it cannot shrink from there
    libc.free(block)
with trimming(float(sys.argv[1])):
    give_up = time.monotonic() + float(sys.argv[2])
    while full - resident_mb() < 150 and time.monotonic() < give_up:
        time.sleep(0.01)
print(full - resident_mb() >= 150)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_holes_in_the_heaps_go_back_to_the_system() -> None:
    kept, trimmed = (
        subprocess.run([sys.executable, "-c", HOLES, every, patience], capture_output=True, text=True, check=True)
        for every, patience in (("60", "0.2"), ("0.01", "30"))
    )
    assert (kept.stdout.strip(), trimmed.stdout.strip()) == ("False", "True")
