select kind, subject, dimension, against, effect, low, high, trials, expected
from trial_worths order by expected desc, subject, dimension, against;
