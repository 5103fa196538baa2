select phone, node, name, paired_at, ended_at, waits
from phones where shop = %(shop)s
order by ended_at is not null, paired_at desc nulls last, phone;
