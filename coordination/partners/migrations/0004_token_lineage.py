from django.db import migrations, models

# What replaced what is known: the first of each line is the token that replaces none.
FILL = """
    WITH RECURSIVE line AS (
        SELECT first.id AS token_id, first.id AS first_id FROM partners_partnertoken first
        WHERE NOT EXISTS (SELECT FROM partners_partnertoken older WHERE older.replaced_by_id = first.id)
        UNION ALL
        SELECT older.replaced_by_id, line.first_id FROM partners_partnertoken older
        JOIN line ON line.token_id = older.id WHERE older.replaced_by_id IS NOT NULL
    )
    UPDATE partners_partnertoken token SET lineage = line.first_id
    FROM line WHERE line.token_id = token.id AND line.first_id <> token.id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('partners', '0003_webhooks'),
    ]

    operations = [
        migrations.AddField(
            model_name='partnertoken',
            name='lineage',
            field=models.BigIntegerField(blank=True, editable=False, help_text='the first token that this one replaces, however many between', null=True),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
