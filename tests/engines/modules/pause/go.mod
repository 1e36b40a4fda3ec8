module doit-fleet/tests/engines/pause

go 1.24.0
