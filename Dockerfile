# The daemon as an image: build in one stage, run in another that has no build tools and no root.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY ftcli ./ftcli
RUN python -m venv /opt/ftcli && /opt/ftcli/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.13-slim
LABEL org.opencontainers.image.title="ftcli" \
      org.opencontainers.image.description="Unofficial local HTTP service for Fidelity accounts" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin ftcli && install -d -o ftcli -m 0700 /data
COPY --from=build /opt/ftcli /opt/ftcli
ENV PATH=/opt/ftcli/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FT_DATA_DIR=/data \
    FTSERVICE_HOST=0.0.0.0 \
    FTSERVICE_PORT=8787
USER ftcli
VOLUME /data
EXPOSE 8787
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['FTSERVICE_PORT']}/health\", timeout=4)"]
ENTRYPOINT ["ft"]
CMD ["serve"]
