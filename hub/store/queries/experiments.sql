select id, kind, subject, dimension, state, shop, proposed_at, starts_on, ends_on
from experiments where %(id)s::text is null or id = %(id)s
order by proposed_at desc, id;
