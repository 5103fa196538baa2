-- A rest of the same product at the same bay goes on under the new words. No row: it may not be.
insert into rests (shop, bay, sku, reason, note, until)
values (%(shop)s, %(bay)s, %(sku)s, %(reason)s, %(note)s, %(until)s)
returning id;
