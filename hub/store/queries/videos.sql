select shop, address from shop_videos where address <> '';
