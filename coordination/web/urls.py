"""Addresses of the pages for people, but the first, which is `home`."""

from django.urls import path

from .views import campaigns, home, observatories, targets, telescopes

app_name = "web"
urlpatterns = [
    path("targets/", targets.TargetListView.as_view(), name="targets"),
    # A designation may hold a slash (C/2020 F3), so the addresses of its plots come first.
    path("targets/<path:designation>/<slug:figure>.<slug:ending>", targets.TargetView.as_view(), name="target-figure"),
    path("targets/<path:designation>/", targets.TargetView.as_view(), name="target"),
    path("campaigns/", campaigns.CampaignListView.as_view(), name="campaigns"),
    path("campaigns/<slug:slug>/", campaigns.CampaignView.as_view(), name="campaign"),
    path("campaigns/<slug:slug>/<slug:figure>.<slug:ending>", campaigns.CampaignView.as_view(), name="campaign-figure"),
    path("observatories/", observatories.ObservatoryListView.as_view(), name="observatories"),
    path("telescopes/<int:pk>/", telescopes.TelescopeView.as_view(), name="telescope"),
    path(
        "telescopes/<int:pk>/<slug:figure>.<slug:ending>", telescopes.TelescopeView.as_view(), name="telescope-figure"
    ),
    path("world/<slug:figure>.<slug:ending>", home.WorldFigureView.as_view(), name="home-figure"),
]
