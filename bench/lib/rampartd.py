"""The cluster and the server that requests are measured on."""
SETTINGS = {"shared_buffers": "'256MB'", "fsync": "on"}
NO_LIMIT = {name: "1000000/1m" for name in ("sign_in", "password_reset", "refresh", "anonymous", "authenticated", "admin", "tenant")}
HASH = {"argon2_memory_kib": 19 * 1024, "argon2_iterations": 2}  # the default, which tests make cheaper
SERVER = {"rates": NO_LIMIT, "password": HASH, "http": {"threads": 32}}
