"""Pages of the audit site, each a function of a visit."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http.response import HttpResponseBase

# Takes a Visit, and the names in the route as keyword arguments.
View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the site. One with a label is in the menu, or, if it is `of_project`, beside each project.

    The route of a page `of_project` has the one name `project`, the project's key.
    """

    route: str
    name: str
    view: View
    label: str = ""
    of_project: bool = False
