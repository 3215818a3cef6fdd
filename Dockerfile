# Tidecast in one image: origin, edge and player are the same wheel.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE CHANGELOG.md ./
COPY origin origin
COPY cdn cdn
COPY player player
RUN pip wheel --no-cache-dir -c constraints.txt -w /wheels .

FROM python:3.11-slim-bookworm
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links /wheels tidecast && rm -r /wheels \
    && useradd --create-home tidecast && install -d -o tidecast /data
USER tidecast
VOLUME /data
ENTRYPOINT ["tidecast"]
CMD ["serve", "--data-dir", "/data"]
