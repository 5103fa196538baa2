select may('read_figures') as may, array(select shops_of('read_figures')) as shops;
