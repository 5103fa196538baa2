copy facts (id, shop, metric, started_at, ended_at, value, low, high, n, coverage, independent, dims,
            method, source, stream, number, received_at)
from stdin
