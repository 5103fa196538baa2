select people.id from person_subjects join people on people.id = person_subjects.person
where issuer = %(issuer)s and subject = %(subject)s and people.ended_at is null;
