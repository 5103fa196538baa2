update feeds set taken = taken + %(taken)s, same = same + %(same)s where name = %(name)s;
