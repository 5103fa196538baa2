-- One day's figures of all shops, a metric or two at a time: shops are compared by them. Without it
-- every day that is kept would be read through.
create index day_figures_by_day on day_figures (day, metric);
