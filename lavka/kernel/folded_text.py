"""Text as it is compared: without case and accents, "ё" as "е"."""

from django.db.models import CharField, TextField, Transform


@CharField.register_lookup
@TextField.register_lookup
class Folded(Transform):
    """Folds both sides: `name__folded__contains="Muller"` finds "MÜLLER".

    An index serves such a lookup when it is one of the folded column.
    """

    lookup_name = "folded"
    function = "kernel_folded"
    bilateral = True
    output_field = TextField()
