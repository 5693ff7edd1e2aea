"""What the numbers were measured on."""
import os
import re
import subprocess


def _first(pattern, path):
    with open(path) as f:
        match = re.search(pattern, f.read(), re.MULTILINE)
    return match.group(1).strip() if match else "unknown"


def describe(session):
    memory = int(_first(r"^MemTotal:\s+(\d+)", "/proc/meminfo")) / 1024 / 1024
    version = session.value("SHOW server_version")
    openssl = subprocess.run(["openssl", "version"], text=True, capture_output=True).stdout.split("(")[0].strip()
    model = _first(r"^model name\s*:\s*(.*)$", "/proc/cpuinfo")
    family = _first(r"^model\s*:\s*(.*)$", "/proc/cpuinfo")
    return (f"{model} (model {family}), {os.cpu_count()} cores, {memory:.0f} GiB RAM, "
            f"PostgreSQL {version}, {openssl}")
