"""Waiting for the auditor, a process that comes and goes by itself."""
import time

import psycopg2


def until(condition, seconds=60):
    deadline = time.time() + seconds
    while time.time() < deadline:
        try:
            if condition():
                return True
        except psycopg2.Error:
            pass
        time.sleep(0.1)
    return False


def auditor(database, condition="true"):
    rows = database.cluster.query(f"SELECT pid FROM pg_stat_activity WHERE backend_type = 'rampart auditor' AND datname = %s AND {condition}", (database.name,))
    return rows[0][0] if rows else None
