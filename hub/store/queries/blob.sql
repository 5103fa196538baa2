select sha256 from blobs where shop = %(shop)s and photo = %(photo)s and name = %(name)s for share;
