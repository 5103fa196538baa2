-- Of these people, oldest link first. Not the subject: nobody here needs it.
select person, issuer, linked_at from person_subjects
where person = any(%(people)s) order by linked_at, person;
