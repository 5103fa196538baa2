select sha256, ends_at from pairing_codes
where shop = %(shop)s and used_at is null and ends_at > %(now)s
order by ends_at, sha256;
