select id, sealed, out_sealed from storepulse_care.consents where sealed is not null for update;
