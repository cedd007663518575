FROM python:3.11.15-slim-bookworm@sha256:d29f48a31a8b408ed19272ca1e7b10ebae13b240a27e862d3d4217c528e2e0c3
RUN apt-get update \
    && apt-get install -y --no-install-recommends chromium fonts-inter curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 market \
    && install --directory --owner market /data
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
USER market
ENV AIMI_DATABASE=/data/market.duckdb AIMI_CACHE_DIR=/data/cache AIMI_LOAD_BUNDLED=1 OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=60s CMD curl --fail --silent http://localhost:8501/readyz
CMD ["python", "-m", "streamlit", "run", "dashboard/app.py", "--server.address", "0.0.0.0", "--browser.serverAddress", "localhost"]
