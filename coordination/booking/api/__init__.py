"""Campaigns, slots, claims, bookings and grants in the API: faces of the services, without rules of their own."""
