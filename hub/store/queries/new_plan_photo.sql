select new_plan_photo(%(id)s, %(planogram)s, %(name)s, %(bay)s, %(photo)s);
