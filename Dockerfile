# The service in a container, on this machine only; the key is what programs send as `Authorization: Bearer …`:
#   docker build -t ai-memory .
#   docker run -p 127.0.0.1:7677:7677 -v ai-memory:/data -e AI_MEMORY_API_KEYS='{"*": ["KEY"]}' ai-memory
FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/ai-memory \
 && /opt/ai-memory/bin/pip install --no-cache-dir ./client '.[mcp,neo4j]'

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 memory \
 && install -d -o memory -g memory /data /data/models
COPY --from=build /opt/ai-memory /opt/ai-memory
ENV PATH=/opt/ai-memory/bin:$PATH \
    AI_MEMORY_DATA_DIR=/data \
    AI_MEMORY_HOST=0.0.0.0
USER memory
VOLUME ["/data", "/data/models"]
EXPOSE 7677
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7677/health', timeout=4)"]
CMD ["ai-memory", "serve"]
