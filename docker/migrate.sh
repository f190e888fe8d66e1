#!/bin/sh
# Brings the database up to date before the other containers start. Loads no data, least of all demo data.
set -e
python manage.py migrate --noinput
cat <<'TEXT'

The database is up to date. In a new installation:

  docker compose exec web python manage.py createsuperuser        the first administrator
  docker compose exec web python manage.py import_observatories   the observatories of the Minor Planet Center

TEXT
