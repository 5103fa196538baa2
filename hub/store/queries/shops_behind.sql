-- shops_behind
-- How many shops have facts of a day that its kept figures do not hold yet.
select count(distinct shop) as shops from touched_figures where day = %(day)s;
