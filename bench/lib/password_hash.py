"""What argon2id itself costs, by the library that the server uses."""
import ctypes
import ctypes.util
import time


def cpu(memory_kib, iterations, rounds=10):
    """Microseconds of CPU of one hash: the best of several."""
    library = ctypes.CDLL(ctypes.util.find_library("argon2") or "libargon2.so.1")
    library.argon2id_hash_raw.argtypes = [ctypes.c_uint32] * 3 + [ctypes.c_void_p, ctypes.c_size_t] * 3
    out, costs = ctypes.create_string_buffer(32), []
    for _ in range(rounds):
        began = time.process_time_ns()
        failed = library.argon2id_hash_raw(iterations, memory_kib, 1, b"Correct-horse-7-battery", 23, b"sixteen bytes 00", 16, out, 32)
        costs.append(time.process_time_ns() - began)
        assert failed == 0
    return min(costs) / 1e3
