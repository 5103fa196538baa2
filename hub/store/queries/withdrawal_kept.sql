update actions set withdrawal_kept_at = %(at)s where id = %(id)s and withdrawal_kept_at is null;
