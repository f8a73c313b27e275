# The paper in a container: the environment of constraints.txt, and the smoke profile when it is run.
#   docker build -t paper .
#   docker run --rm paper                                      the smoke profile, a few minutes
#   docker run --rm -v "$PWD/data:/home/reader/paper/data" paper make status PROFILE=laptop
#   docker run --rm -p 8888:8888 paper make lab LAB='--ip=0.0.0.0 --no-browser'
FROM python:3.11-slim-bookworm

# versions of make and git move no number
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*

# the folder first: what WORKDIR makes belongs to root
RUN useradd --create-home --uid 1000 reader && install --directory --owner=1000 --group=1000 /home/reader/paper
USER 1000
WORKDIR /home/reader/paper

COPY --chown=1000:1000 . .
RUN make install

CMD ["make", "reproduce"]
