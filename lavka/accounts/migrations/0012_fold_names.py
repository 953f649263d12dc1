"""Staff find customers by their name however its accents are written."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations

from lavka.kernel.folded_text import Folded


class Migration(migrations.Migration):
    """The index of names is one of folded names."""

    dependencies = [("accounts", "0011_end_what_rights_gave"), ("kernel", "0007_fold_text")]

    operations = [
        migrations.RemoveIndex(model_name="user", name="user_name_contains"),
        migrations.AddIndex(
            model_name="user",
            index=GinIndex(OpClass(Folded("name"), "gin_trgm_ops"), name="user_name_folded"),
        ),
    ]
