-- No row comes back when somebody else has it.
insert into person_subjects (issuer, subject, person)
values (%(issuer)s, %(subject)s, %(person)s)
on conflict (issuer, subject) do update set person = person_subjects.person
    where person_subjects.person = excluded.person
returning person;
