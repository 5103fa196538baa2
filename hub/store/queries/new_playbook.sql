insert into playbooks (name, version, en, zh, note)
select %(name)s, coalesce(max(version), 0) + 1, %(en)s, %(zh)s, %(note)s
from playbooks where name = %(name)s
returning version;
