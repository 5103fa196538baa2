"""The audit log: who changed which policy, playbook, right or code. Changes nothing itself."""

from hub.audit.store import MACHINE, record

__all__ = ["MACHINE", "record"]
