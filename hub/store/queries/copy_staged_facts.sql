copy staged (id, shop, metric, started_at, ended_at, value, low, high, n, coverage, independent, dims,
             method, source, stream, number, received_at, sha256, place)
from stdin
