select session, person, name, role, regions, shops from use_session();
