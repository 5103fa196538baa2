"""The hub: takes facts in, stores them, computes codes and their reasons, pushes actions.

A room for each: `store` (PostgreSQL), `brokers`, `nodes` and `phones` (who may speak), `ingest`
(what nodes say), `taps`, `pictures`, `codes`, `actions` and their `playbooks`, `people`, `api`.
`run` starts them as one process; `scheduler` keeps codes and actions up to date.
"""
