-- What the tags of a photo said, told after its answer (JSON); null: nothing yet, or nothing asked.
alter table photos add column prices text;
