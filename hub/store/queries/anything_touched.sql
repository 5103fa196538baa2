-- Whether a shop's day or tap waits to be worked out.
select exists (select from touched_days) or exists (select from touched_taps) as touched;
