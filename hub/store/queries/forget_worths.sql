delete from trial_worths;
