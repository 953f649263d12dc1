"""A log that is only appended to, partitioned by month, behind a small outbox.

What was published before keeps its order at the head of the log. The column `published_at` stays
for processes of the version before, which still fill it; it is no part of the model any more.
"""

import datetime

import django.db.models.functions.datetime
import django.db.models.functions.uuid
from django.db import migrations, models

MAX_PAYLOAD_BYTES = 65_536

LOG = """
CREATE TABLE kernel_recordedevent (
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    name varchar(100) NOT NULL,
    version smallint NOT NULL CHECK (version > 0),
    aggregate uuid NOT NULL,
    payload jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (position, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX event_by_id ON kernel_recordedevent (event_id);
CREATE INDEX event_by_aggregate ON kernel_recordedevent (aggregate, position);
CREATE INDEX event_by_name ON kernel_recordedevent (name, position);
CREATE TABLE kernel_recordedevent_default PARTITION OF kernel_recordedevent DEFAULT;
"""

PUBLISHED_TO_LOG = """
WITH published AS (DELETE FROM kernel_outboxevent WHERE published_at IS NOT NULL RETURNING *)
INSERT INTO kernel_recordedevent
    (position, event_id, name, version, aggregate, payload, occurred_at, recorded_at)
SELECT row_number() OVER (ORDER BY id), id, name, version, aggregate, payload, occurred_at,
       published_at
FROM published;
INSERT INTO kernel_bookmark (reader, position)
SELECT reader, (SELECT count(*) FROM kernel_recordedevent)
FROM (VALUES ('recorded'), ('relayed')) AS readers (reader);
"""

# What is relayed counts as published, so that the relay of the version before sends it not again.
LOG_TO_OUTBOX = """
INSERT INTO kernel_outboxevent (id, name, aggregate, payload, occurred_at, published_at)
SELECT event_id, name, aggregate, payload, occurred_at, recorded_at
FROM kernel_recordedevent
WHERE position <= (SELECT position FROM kernel_bookmark WHERE reader = 'relayed')
UNION ALL
SELECT event_id, name, aggregate, payload, occurred_at, NULL
FROM kernel_recordedevent
WHERE position > (SELECT position FROM kernel_bookmark WHERE reader = 'relayed');
"""

OUTBOX_IS_SMALL = f"""
ALTER TABLE kernel_outboxevent
    ADD CONSTRAINT outbox_payload_size CHECK (octet_length(payload::text) <= {MAX_PAYLOAD_BYTES}),
    SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
"""
OUTBOX_GROWS = """
ALTER TABLE kernel_outboxevent
    DROP CONSTRAINT outbox_payload_size,
    RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
"""


def make_partitions(apps, schema_editor):
    """This month's and the next three, as beat does from then on."""
    now = datetime.datetime.now(datetime.UTC)
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(4):
        end = (start + datetime.timedelta(days=32)).replace(day=1)
        schema_editor.execute(
            f"CREATE TABLE kernel_recordedevent_{start:%Y_%m} PARTITION OF kernel_recordedevent"
            f" FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
        )
        start = end


class Migration(migrations.Migration):
    dependencies = [("kernel", "0003_label_the_fields")]

    operations = [
        migrations.RemoveIndex("outboxevent", "outbox_unpublished"),
        migrations.RemoveIndex("outboxevent", "outbox_published_at"),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("outboxevent", "published_at")]
        ),
        migrations.AlterModelOptions(
            "outboxevent",
            {"verbose_name": "waiting event", "verbose_name_plural": "waiting events"},
        ),
        migrations.AddField(
            "outboxevent",
            "version",
            models.PositiveSmallIntegerField(db_default=1, default=1, verbose_name="version"),
        ),
        migrations.RunSQL(
            "CREATE SEQUENCE kernel_outbox_arrival", "DROP SEQUENCE kernel_outbox_arrival"
        ),
        migrations.AddField(
            "outboxevent",
            "arrival",
            models.BigIntegerField(
                db_default=models.Func(models.Value("kernel_outbox_arrival"), function="nextval"),
                editable=False,
            ),
        ),
        migrations.AddIndex("outboxevent", models.Index(fields=["arrival"], name="outbox_arrival")),
        migrations.RunSQL(OUTBOX_IS_SMALL, OUTBOX_GROWS),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(LOG, "DROP TABLE kernel_recordedevent"),
                migrations.RunPython(make_partitions, migrations.RunPython.noop),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="RecordedEvent",
                    fields=[
                        (
                            "position",
                            models.BigIntegerField(
                                primary_key=True, serialize=False, verbose_name="position"
                            ),
                        ),
                        ("event_id", models.UUIDField(verbose_name="event")),
                        ("name", models.CharField(max_length=100, verbose_name="name")),
                        ("version", models.PositiveSmallIntegerField(verbose_name="version")),
                        ("aggregate", models.UUIDField(verbose_name="aggregate")),
                        ("payload", models.JSONField(verbose_name="payload")),
                        ("occurred_at", models.DateTimeField(verbose_name="occurred at")),
                        (
                            "recorded_at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now(),
                                verbose_name="recorded at",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "event",
                        "verbose_name_plural": "events",
                        "indexes": [
                            models.Index(fields=["event_id"], name="event_by_id"),
                            models.Index(
                                fields=["aggregate", "position"], name="event_by_aggregate"
                            ),
                            models.Index(fields=["name", "position"], name="event_by_name"),
                        ],
                    },
                )
            ],
        ),
        migrations.CreateModel(
            name="Bookmark",
            fields=[
                (
                    "reader",
                    models.CharField(
                        choices=[("recorded", "recorded"), ("relayed", "relayed")],
                        max_length=20,
                        primary_key=True,
                        serialize=False,
                        verbose_name="reader",
                    ),
                ),
                ("position", models.BigIntegerField(default=0, verbose_name="position")),
            ],
            options={"verbose_name": "bookmark", "verbose_name_plural": "bookmarks"},
        ),
        migrations.RunSQL(PUBLISHED_TO_LOG, LOG_TO_OUTBOX),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "task_id",
                    models.CharField(max_length=255, unique=True, verbose_name="message"),
                ),
                ("task", models.CharField(max_length=255, verbose_name="task")),
                ("queue", models.CharField(max_length=100, verbose_name="queue")),
                ("arguments", models.JSONField(verbose_name="arguments")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("failed", "failed, also after its retries"),
                            ("timed_out", "took too long"),
                            ("crashed", "took its worker down"),
                            ("unknown", "no worker knows the task"),
                            ("unreadable", "cannot be read"),
                        ],
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                ("error", models.TextField(blank=True, verbose_name="error")),
                ("failures", models.PositiveIntegerField(default=1, verbose_name="failures")),
                ("failed_at", models.DateTimeField(verbose_name="failed at")),
                (
                    "replay_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="replay at"),
                ),
            ],
            options={
                "verbose_name": "dead letter",
                "verbose_name_plural": "dead letters",
                "indexes": [
                    models.Index(fields=["failed_at"], name="letter_failed_at"),
                    models.Index(
                        condition=models.Q(("replay_at__isnull", False)),
                        fields=["replay_at"],
                        name="letter_to_replay",
                    ),
                ],
            },
        ),
    ]
