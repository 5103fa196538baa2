
-- The secret behind a ticket's QR, so that a repeated tap gets the same one; forgotten after 28 days.
alter table taps add column token text;
