-- By ticket, or by the way out. The contact goes with the consent.
update storepulse_care.consents
set withdrawn_at = %(at)s, sealed = null, lookup = null, out_sealed = null
where withdrawn_at is null
  and ((shop = %(shop)s::text and ticket = %(ticket)s::text) or out_sha256 = %(out_sha256)s::bytea)
returning id, shop;
