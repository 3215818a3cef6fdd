# Tidecast in one image: origin, edge and player are the same wheel.
FROM python:3.11.13-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE CHANGELOG.md ./
COPY origin origin
COPY cdn cdn
COPY player player
RUN pip wheel --no-cache-dir -c constraints.txt -w /wheels .

FROM python:3.11.13-slim-bookworm
# The wheels are the pinned ones of the stage above, and there is no index to get others from.
# hadolint ignore=DL3013
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels tidecast \
    && useradd --uid 10001 --create-home tidecast \
    && install -d -o tidecast -g tidecast /data
# A number, so that a host that demands a user other than root can see that it is one.
USER 10001
ENV PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 1935 8080 8081 9180
ENTRYPOINT ["tidecast"]
CMD ["serve", "--data-dir", "/data"]
