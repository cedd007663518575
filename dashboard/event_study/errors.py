"""The one error of the event study."""

from etl.errors import ProductError


class EventStudyError(ProductError, ValueError):
    """The study cannot be run on this input.

    The message is one sentence that names what is wrong and, where there is one, the way out. Show it as it
    is.
    """
