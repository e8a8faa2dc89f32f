# CPU by default; for a GPU give a CUDA runtime image that has Python 3.11 or newer:
#   docker build --build-arg BASE_IMAGE=pytorch/pytorch:2.13.0-cuda13.0-cudnn9-runtime .
ARG BASE_IMAGE=python:3.11-slim
FROM ${BASE_IMAGE}

# The CPU build of torch is a tenth of the CUDA one; a CUDA base image brings its own torch.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    NASW_DATA=/data/lab \
    NASW_RUNS=/data/runs

WORKDIR /srv/nas-workbench
COPY requirements.txt ./
RUN pip install --extra-index-url "${TORCH_INDEX}" -r requirements.txt \
    && useradd --create-home --uid 10001 workbench \
    && mkdir -p /data/lab /data/runs \
    && chown -R workbench /data

COPY app app
COPY engine engine
COPY examples examples
COPY gpu_kernels gpu_kernels
COPY workers workers
COPY .streamlit .streamlit

USER 10001
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "app/main.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
