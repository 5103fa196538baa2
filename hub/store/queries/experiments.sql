select id, kind, subject, dimension, state, shop, proposed_at, starts_on, ends_on, words, against
from experiments
where (%(id)s::text is null or id = %(id)s) and (%(state)s::text is null or state = %(state)s)
order by proposed_at desc, id;
