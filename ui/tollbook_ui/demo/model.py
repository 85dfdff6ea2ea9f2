"""The model that both ways of the intake ask."""

import tollbook
from magika import Magika

LOADING = "load-model"


def loaded() -> Magika:
    """The model. To load it is a workflow of its own: it comes before the first document, and no document's team asked for it."""
    with tollbook.label(workflow=LOADING):
        return Magika()
