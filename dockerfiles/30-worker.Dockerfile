# doit-fleet's runtime in /opt/doit-fleet, apart from the project's environments.
ARG BASE
FROM $BASE
ADD worker.tar /
