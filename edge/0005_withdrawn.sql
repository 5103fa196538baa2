
-- The number of the message that told the hub that this action is off the list; null: it is not.
alter table actions add column withdrawal integer;
