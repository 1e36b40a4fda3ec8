# The operating system and the interpreters. Changes least of all; whatever needs apt, yum or apk belongs here.
ARG BASE
FROM $BASE
