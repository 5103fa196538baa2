select person, sealed from notice_choices for update;
