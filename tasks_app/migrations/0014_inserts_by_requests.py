"""What an insert of a request may not say is refused by a trigger; a refusal names the table, not the shard of it."""

from django.db import migrations

from tasks_app.policies import LedgerFunction

# Where a table is spread over machines its triggers fire on shards, whose names are the table's and a number.
REFUSE_CHANGE = """
BEGIN
    RAISE EXCEPTION '% of % is refused: its rows are written by triggers alone and never change. To correct a fact, report the right one; it gets a row of its own.',
        TG_OP, regexp_replace(TG_TABLE_NAME, '_[0-9]+$', '') USING ERRCODE = 'insufficient_privilege';
END
"""

REFUSE_GIVEN = """
BEGIN
    RAISE EXCEPTION 'An insert into % leaves to their defaults what only the worker and the ledger''s functions may say; % said more.',
        regexp_replace(TG_TABLE_NAME, '_[0-9]+$', ''), current_user USING ERRCODE = 'insufficient_privilege';
END
"""


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0013_help_texts")]

    operations = [
        LedgerFunction("refuse_change()", REFUSE_CHANGE, definer=False),
        LedgerFunction("refuse_given()", REFUSE_GIVEN, definer=False),
    ]
