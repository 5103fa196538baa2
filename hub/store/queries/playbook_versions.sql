select name, version, en, zh, note, published_at, by_whom
from playbooks_told where name = %(name)s order by version desc;
