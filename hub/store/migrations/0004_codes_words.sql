-- Unknown has no probability; a code also says its unit and its words.
alter table codes
    alter column probability drop not null,
    add column unit text not null default '',
    add column turns_green_when text not null default '',
    add column unknown_days integer not null default 0;

create or replace view storepulse_api.codes with (security_barrier) as
    select * from codes where storepulse_api.may_see(shop);
