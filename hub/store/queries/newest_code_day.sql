-- The newest day for which codes were computed.
select max(day) as day from codes;
