select distinct shop from touched_days;
