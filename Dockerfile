# The production image: web, worker, beat and migration run from it with different commands.

FROM python:3.11-slim AS packages
COPY requirements/production.txt /tmp/production.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/production.txt

FROM python:3.11-slim
# A fixed number, so that volumes keep their owner when the image is rebuilt.
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/neo neo
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=coordination.settings \
    NEO_STATE_DIR=/var/lib/neo \
    STATIC_ROOT=/srv/neo/static \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1
WORKDIR /srv/neo
COPY manage.py pyproject.toml LICENSE ./
COPY docker docker
COPY observatories observatories
COPY targets targets
COPY coordination coordination
# Compiled here, because the account below may not write beside the sources. The key is used for this command only.
RUN python -m compileall -q coordination observatories targets docker \
    && SECRET_KEY=only-for-collectstatic python manage.py collectstatic --noinput --verbosity 0
USER neo
EXPOSE 8000
# WEB_CONCURRENCY sets the number of processes, GUNICORN_CMD_ARGS anything else.
ENV WEB_CONCURRENCY=2
CMD ["gunicorn", "coordination.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--access-logfile", "-"]
