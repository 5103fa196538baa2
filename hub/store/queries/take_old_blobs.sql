delete from blobs where (shop, photo, name) in (
    select shop, photo, name from blobs where at < %(before)s order by at limit %(limit)s
)
returning shop, photo, name;
