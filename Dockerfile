# presenced in a container: docs/take-away.md. Two stages, so that pip and what builds the package stay behind.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /source
COPY requirements/run.txt requirements/
RUN python -m venv /app \
 && /app/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.txt
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev
COPY pyproject.toml hatch_build.py README.md ./
COPY native native
COPY src src
RUN /app/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
 && /app/bin/python -m pip uninstall --yes editables hatchling pathspec pluggy trove-classifiers \
 && /app/bin/python -m pip check \
 && /app/bin/python -c 'from presenced.entries import COMPILED; raise SystemExit(not COMPILED)' \
 && /app/bin/python -m pip uninstall --yes setuptools pip

FROM python:${PYTHON}
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin presenced \
 && install --directory --owner=presenced --group=presenced --mode=0700 /data
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PRESENCED_DATA=/data \
    PRESENCED_HOST=0.0.0.0
USER 10001:10001
VOLUME /data
EXPOSE 8080 8443
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:8080/v1.0/', timeout=4)"]
ENTRYPOINT ["presenced"]
CMD ["serve"]
