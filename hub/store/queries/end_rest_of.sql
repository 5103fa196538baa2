update rests set ended_at = %(now)s
where shop = %(shop)s and bay = %(bay)s and sku = %(sku)s and ended_at is null;
