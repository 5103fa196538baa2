select from_state, to_state, at, reason from experiment_moves where experiment = %(id)s order by at;
