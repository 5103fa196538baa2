select id from storepulse_care.consents where out_sha256 = %(out_sha256)s;
