"""The product's doors, and beside them the view that one of them is measured against."""

from django.urls import path

from config.urls import urlpatterns as doors
from tests.benchmarks.by_hand import diagram

urlpatterns = [*doors, path("by-hand", diagram)]
