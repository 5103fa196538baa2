select
    exists (
        select from blobs where shop = %(shop)s and photo = %(photo)s and name = %(name)s
    ) as there,
    exists (
        select from checklists where shop = %(shop)s and photo = %(photo)s::text
    ) as told;
