# The project's dependencies in virtual environments below /opt/project, and what is packed for builds without a network.
ARG BASE
FROM $BASE
ADD dependencies.tar /
