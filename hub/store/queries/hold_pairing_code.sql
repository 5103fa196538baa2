-- Held until the transaction ends: the same code may come from two nodes at once.
select sha256 from pairing_codes where sha256 = %(code_sha256)s and shop = %(shop)s for update;
