-- Days of a shop whose kept figures are older than their facts.
select distinct day from touched_figures
where shop = %(shop)s and day between %(first)s and %(last)s;
