"""Name the fields in words that can be translated; the tables stay as they are."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.math
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("reviews", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="countedreview",
            options={"verbose_name": "counted review", "verbose_name_plural": "counted reviews"},
        ),
        migrations.AlterField(
            model_name="helpfulvote",
            name="created_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), verbose_name="created at"
            ),
        ),
        migrations.AlterField(
            model_name="helpfulvote",
            name="review",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="votes",
                to="reviews.review",
                verbose_name="review",
            ),
        ),
        migrations.AlterField(
            model_name="helpfulvote",
            name="voter",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="voter",
            ),
        ),
        migrations.AlterField(
            model_name="productrating",
            name="average",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.math.Round(
                    django.db.models.expressions.CombinedExpression(
                        django.db.models.functions.comparison.Cast(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("stars_1"),
                                            "+",
                                            django.db.models.expressions.CombinedExpression(
                                                models.F("stars_2"), "*", models.Value(2)
                                            ),
                                        ),
                                        "+",
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("stars_3"), "*", models.Value(3)
                                        ),
                                    ),
                                    "+",
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("stars_4"), "*", models.Value(4)
                                    ),
                                ),
                                "+",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("stars_5"), "*", models.Value(5)
                                ),
                            ),
                            models.DecimalField(decimal_places=2, max_digits=12),
                        ),
                        "/",
                        django.db.models.functions.comparison.NullIf(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("stars_1"), "+", models.F("stars_2")
                                        ),
                                        "+",
                                        models.F("stars_3"),
                                    ),
                                    "+",
                                    models.F("stars_4"),
                                ),
                                "+",
                                models.F("stars_5"),
                            ),
                            0,
                        ),
                    ),
                    precision=2,
                ),
                output_field=models.DecimalField(decimal_places=2, max_digits=3, null=True),
                verbose_name="average",
            ),
        ),
        migrations.AlterField(
            model_name="productrating",
            name="count",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.expressions.CombinedExpression(
                    django.db.models.expressions.CombinedExpression(
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("stars_1"), "+", models.F("stars_2")
                            ),
                            "+",
                            models.F("stars_3"),
                        ),
                        "+",
                        models.F("stars_4"),
                    ),
                    "+",
                    models.F("stars_5"),
                ),
                output_field=models.IntegerField(),
                verbose_name="number of reviews",
            ),
        ),
        migrations.AlterField(
            model_name="productrating",
            name="product",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                primary_key=True,
                related_name="rating",
                serialize=False,
                to="catalog.product",
                verbose_name="product",
            ),
        ),
        migrations.AlterField(
            model_name="productrating",
            name="stars_1",
            field=models.PositiveIntegerField(default=0, verbose_name="1 ★"),
        ),
        migrations.AlterField(
            model_name="productrating",
            name="stars_2",
            field=models.PositiveIntegerField(default=0, verbose_name="2 ★"),
        ),
        migrations.AlterField(
            model_name="productrating",
            name="stars_3",
            field=models.PositiveIntegerField(default=0, verbose_name="3 ★"),
        ),
        migrations.AlterField(
            model_name="productrating",
            name="stars_4",
            field=models.PositiveIntegerField(default=0, verbose_name="4 ★"),
        ),
        migrations.AlterField(
            model_name="productrating",
            name="stars_5",
            field=models.PositiveIntegerField(default=0, verbose_name="5 ★"),
        ),
        migrations.AlterField(
            model_name="review",
            name="author",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="reviews",
                to=settings.AUTH_USER_MODEL,
                verbose_name="author",
            ),
        ),
        migrations.AlterField(
            model_name="review",
            name="product",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="reviews",
                to="catalog.product",
                verbose_name="product",
            ),
        ),
    ]
