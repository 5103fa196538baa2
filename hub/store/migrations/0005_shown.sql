-- Open pages are told that a code, an action or a mark on an item was written; they ask what.

create function notify_shown() returns trigger language plpgsql as $$
begin
    perform pg_notify('storepulse_shown', '');
    return null;
end
$$;

create trigger codes_shown after insert on codes
    for each statement execute function notify_shown();
create trigger actions_shown after insert or update on actions
    for each statement execute function notify_shown();
create trigger checklist_items_shown after update on checklist_items
    for each statement execute function notify_shown();
