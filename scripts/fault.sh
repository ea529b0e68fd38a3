#!/usr/bin/env bash
# Runs the fault tests: functions TestFault… in files built with the tag
# `faulttest`. They break the program at every step and check that nothing is
# lost; the tag also compiles the code that does the breaking. They kill at a few
# places of each step, in less than two minutes; SELO_FAULT_FULL=1 kills at all.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/sources.sh

files=$(own_files '*_test.go' | xargs -0 grep -l -E '^func TestFault[A-Z_0-9]' || true)
tagged=$([ -z "$files" ] || xargs grep -l '^//go:build .*faulttest' <<<"$files" || true)
if [ -z "$tagged" ]; then
	echo 'There is no fault test: no TestFault… in a file with the tag faulttest.' >&2
	exit 1
fi
mapfile -t folders < <(xargs -n1 dirname <<<"$tagged" | sort -u)
limit=10m
[ -z "${SELO_FAULT_FULL:-}" ] || limit=4h
go test -count=1 -timeout "${FAULT_TIMEOUT:-$limit}" -tags faulttest -run '^TestFault' "${folders[@]}"
