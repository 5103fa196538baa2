-- Their keys are kept all the same; the facts themselves stay as they came first.
with known as (
    update staged set shop = '' where place = any(%(places)s) returning place, id
)
select known.place, fact_ids.sha256 from known join fact_ids using (id);
