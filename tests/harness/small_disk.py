"""A server that has a small file system of its own, to fill."""
import subprocess

from cluster import BIN


def start_with_a_small_disk(cluster, directory, megabytes):
    """Starts the server in namespaces of its own, where a file system of this size is mounted. The reason if that cannot be done."""
    # PostgreSQL refuses to run as root: a second namespace makes another user of the one who mounts.
    command = f"""mount -t tmpfs -o size={megabytes}m,mode=777 tmpfs {directory} && exec unshare --user --map-user=1000 \
                  {BIN}/pg_ctl -D {cluster.data} -l {cluster.log_file} -w start"""
    try:
        done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", command], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else (done.stderr.strip() or "the server does not start in a namespace of its own")
