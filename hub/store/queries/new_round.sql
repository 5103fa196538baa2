-- The next version of a round; of two who publish at once the second is refused by the key.
insert into rounds (round, version, name, regions, formats, shops, bays, weekdays, windows, starts_on)
values (
    %(round)s,
    (select coalesce(max(version), 0) + 1 from rounds where round = %(round)s),
    %(name)s, %(regions)s, %(formats)s, %(shops)s, %(bays)s, %(weekdays)s, %(windows)s,
    %(starts_on)s
)
returning version;
