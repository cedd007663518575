FROM python:3.11-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends chromium fonts-inter curl \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
ENV AIMI_DATABASE=/data/market.duckdb AIMI_LOAD_BUNDLED=1
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=30s CMD curl --fail --silent http://localhost:8501/healthz
CMD ["python", "-m", "streamlit", "run", "dashboard/app.py", "--server.address", "0.0.0.0"]
