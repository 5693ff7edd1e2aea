"""Ways to run the corpus: how statements are planned, and what the search_path is."""
from dataclasses import dataclass, field


@dataclass
class Variant:
    name: str
    settings: dict = field(default_factory=dict)
    search_path: str = ""  # "": the twin's schema


def _off(*names):
    return {f"enable_{name}": "off" for name in names}


# Hash tables and sorts that do not fit into memory.
_SMALL = {"work_mem": "'64kB'", "hash_mem_multiplier": "1"}

VARIANTS = [
    Variant("default"),
    Variant("index", _off("seqscan", "bitmapscan")),
    Variant("bitmap", _off("seqscan", "indexscan", "indexonlyscan")),
    Variant("sequential", _off("indexscan", "indexonlyscan", "bitmapscan")),
    Variant("hash", _off("mergejoin", "nestloop", "sort") | _SMALL),
    Variant("merge", _off("hashjoin", "nestloop", "hashagg") | _SMALL),
    Variant("nestloop", _off("hashjoin", "mergejoin", "memoize") | {"plan_cache_mode": "force_generic_plan"}),
    Variant("parallel", {"min_parallel_table_scan_size": "0", "min_parallel_index_scan_size": "0",
                         "parallel_setup_cost": "0", "parallel_tuple_cost": "0", "force_parallel_mode": "on",
                         "enable_partitionwise_join": "on", "enable_partitionwise_aggregate": "on"}),
    Variant("path public", search_path="public"),
    Variant("path empty", search_path="''"),
    Variant("path rampart", search_path="rampart, public"),
]
