# The project's tracked and unignored files in /project.
ARG BASE
FROM $BASE
ADD tests.tar /
