insert into storepulse_care.consents (shop, ticket, sealed, lookup, language, text_version, given_at,
                                      out_sha256, out_sealed)
values (%(shop)s, %(ticket)s, %(sealed)s, %(lookup)s, %(language)s, %(text_version)s, %(at)s,
        %(out_sha256)s, %(out_sealed)s)
returning id;
