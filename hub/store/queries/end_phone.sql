select end_phone(%(shop)s, %(phone)s) as ended_at;
