select distinct on (name) name, version, en, zh, note, published_at, by_whom
from playbooks_told order by name, version desc;
