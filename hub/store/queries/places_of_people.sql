-- Columns that refer to people, and which columns of their tables are bytes: checksums, sealed words.
select class.relname as table_name, attribute.attname as column_name,
       array(select other.attname::text from pg_attribute as other
             where other.attrelid = class.oid and other.attnum > 0 and not other.attisdropped
               and other.atttypid = 'bytea'::regtype) as secret
from pg_constraint as refers
join pg_class as class on class.oid = refers.conrelid
join pg_attribute as attribute
    on attribute.attrelid = class.oid and attribute.attnum = refers.conkey[1]
where refers.contype = 'f' and refers.confrelid = 'storepulse.people'::regclass
  and class.relnamespace = 'storepulse'::regnamespace and not class.relispartition
order by 1, 2;
