"""What can go wrong in the catalogue."""

from collections.abc import Sequence

from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict, FieldError, Invalid


class Taken(Conflict):
    """A value that must be unique belongs to another row; `errors` points at it."""

    code = "taken"
    message = _("This value already belongs to another one.")

    @classmethod
    def at(cls, *pointers: str) -> "Taken":
        """Name the places in the body."""
        return cls(errors=[FieldError(each, "taken", str(cls.message)) for each in pointers])


class InUse(Conflict):
    """Something still stands on it."""

    code = "in_use"
    message = _("It is still used. Move or remove what uses it first.")


class ReferenceGone(Conflict):
    """What the row refers to was deleted at the same moment."""

    code = "reference_gone"
    message = _("Something this refers to was deleted meanwhile.")


class CategoryCycle(Conflict):
    """A category would stand inside itself."""

    code = "category_cycle"
    message = _("A category cannot stand inside itself.")


class BadPicture(Invalid):
    """The upload is no picture that the shop shows."""

    code = "bad_picture"
    message = _("This is not a readable JPEG, PNG, WebP or GIF picture.")


class PictureTooLarge(Invalid):
    """The picture has more pixels than the shop decodes."""

    code = "picture_too_large"
    message = _("The picture is larger than 40 megapixels.")


def refuse(errors: Sequence[FieldError]) -> None:
    """Raise Invalid when there is anything to refuse."""
    if errors:
        raise Invalid(errors=errors)


def required(pointer: str) -> FieldError:
    """A value is missing."""
    return FieldError(pointer, "required", translated("This field is required."))
