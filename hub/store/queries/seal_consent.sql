update storepulse_care.consents
set sealed = %(sealed)s, out_sealed = %(out_sealed)s, lookup = %(lookup)s where id = %(id)s;
